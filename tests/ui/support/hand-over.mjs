// Stands where a browser would: hands the address that an app opens to the test that waits for it.
import { connect } from "node:net";

const [, , socket, url] = process.argv;
connect(socket).end(url);
