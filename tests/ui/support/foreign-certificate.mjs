// A person's browser that holds a client certificate of somebody else's authority.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { folder } from "./landfall.mjs";

/** Makes an authority and a client certificate, and puts the latter where Chromium under `home` finds it. */
export function foreignCertificate() {
  const home = folder("home");
  const at = (name) => join(home.path, name);
  const run = (program, ...words) => execFileSync(program, words, { cwd: home.path, stdio: ["ignore", "ignore", "pipe"] });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  run("openssl", "req", "-x509", ...key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Somebody else", "-days", "2");
  run("openssl", "req", ...key, "-keyout", "me.key", "-out", "me.csr", "-subj", "/CN=Foreign person");
  run("openssl", "x509", "-req", "-in", "me.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", "me.pem", "-days", "2");
  run("openssl", "pkcs12", "-export", "-in", "me.pem", "-inkey", "me.key", "-out", "me.p12", "-passout", "pass:");
  const store = `sql:${at(".pki/nssdb")}`;
  mkdirSync(at(".pki/nssdb"), { recursive: true });
  run("certutil", "-N", "-d", store, "--empty-password");
  run("pk12util", "-i", "me.p12", "-d", store, "-W", "");
  const read = (name) => readFileSync(at(name));
  return { home: home.path, authority: read("ca.pem"), key: read("me.key"), certificate: read("me.pem"), remove: home.remove };
}
