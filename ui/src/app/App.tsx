import type { Standing } from "@wire/Standing";
import { type ReactNode, useState } from "react";
import { useLoaded } from "./hooks";
import { Waiting } from "./parts/Waiting";
import { Devices } from "./screens/Devices";
import { Bar, Frame, type Place } from "./screens/Frame";
import { GetBackIn } from "./screens/GetBackIn";
import { Home } from "./screens/Home";
import { Secrets } from "./screens/Secrets";

/** The whole window: the way in for a machine that is new, and three places for one that is enrolled. */
export function App(): ReactNode {
  const standing = useLoaded((api) => api.standing());
  const [place, setPlace] = useState<Place>("home");
  // This machine is enrolled, and the server calls that over.
  const [fresh, setFresh] = useState(false);
  return (
    <Waiting of={standing}>
      {(value) =>
        value.is === "new" || fresh ? (
          <>
            <Bar />
            <GetBackIn
              onIn={(next) => {
                setPlace(next);
                setFresh(false);
                standing.reload();
              }}
            />
          </>
        ) : (
          <Enrolled standing={value} place={place} onPlace={setPlace} onFresh={() => setFresh(true)} />
        )
      }
    </Waiting>
  );
}

type Props = Readonly<{ standing: Extract<Standing, { is: "enrolled" }>; place: Place; onPlace: (place: Place) => void; onFresh: () => void }>;

function Enrolled({ standing, place, onPlace, onFresh }: Props): ReactNode {
  const [adding, setAdding] = useState(false);
  const go = (next: Place, add = false) => {
    setAdding(add);
    onPlace(next);
  };
  const { user, device, server } = standing;
  return (
    <>
      <Bar user={user} device={device} />
      <Frame place={place} onPlace={go}>
        {place === "home" ? (
          <Home server={server} user={user} onPlace={go} onAdd={() => go("devices", true)} onFresh={onFresh} />
        ) : place === "devices" ? (
          <Devices key={String(adding)} start={adding ? "add" : "list"} />
        ) : (
          <Secrets />
        )}
      </Frame>
    </>
  );
}
