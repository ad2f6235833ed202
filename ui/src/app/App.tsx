import type { Standing } from "@wire/Standing";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { useLoaded } from "./hooks";
import { Alarm } from "./parts/Alarm";
import { isUnderWay } from "./parts/recovery";
import { Waiting } from "./parts/Waiting";
import { Approvals } from "./screens/Approvals";
import { Devices } from "./screens/Devices";
import { Bar, Frame, type Place } from "./screens/Frame";
import { GetBackIn } from "./screens/GetBackIn";
import { Home } from "./screens/Home";
import { Notices } from "./screens/Notices";
import { Queue } from "./screens/Queue";
import { Ready } from "./screens/Ready";
import { Recovering } from "./screens/Recovering";
import { Secrets } from "./screens/Secrets";

/** How often an open window looks who is on their way into an account. */
const WATCH_EVERY_MS = 30_000;

/** The whole window: the way in for a machine that is new, and its places for one that is enrolled. */
export function App(): ReactNode {
  const start = useLoaded(async (api) => ({ standing: await api.standing(), begun: await api.recoveryHere() }));
  const [place, setPlace] = useState<Place>("home");
  // This machine is enrolled, and the server calls that over.
  const [fresh, setFresh] = useState(false);
  const enter = (next: Place) => {
    setPlace(next);
    setFresh(false);
    start.reload();
  };
  return (
    <Waiting of={start}>
      {({ standing, begun }) =>
        begun?.stage === "in" ? (
          // It is in, and its new code may not be on paper yet.
          <>
            <Bar />
            <Recovering from={begun} onIn={enter} onOver={start.reload} />
          </>
        ) : standing.is === "new" || fresh ? (
          <>
            <Bar />
            <GetBackIn begun={begun} onIn={enter} />
          </>
        ) : (
          <Enrolled standing={standing} place={place} onPlace={setPlace} onFresh={() => setFresh(true)} />
        )
      }
    </Waiting>
  );
}

type Props = Readonly<{ standing: Extract<Standing, { is: "enrolled" }>; place: Place; onPlace: (place: Place) => void; onFresh: () => void }>;

function Enrolled({ standing, place, onPlace, onFresh }: Props): ReactNode {
  const [adding, setAdding] = useState(false);
  const watch = useWatch(place);
  const go = (next: Place, add = false) => {
    setAdding(add);
    onPlace(next);
  };
  const { user, device, server } = standing;
  return (
    <>
      <Bar user={user} device={device} />
      <Frame place={place} onPlace={go} counts={{ ready: watch.mine, approvals: watch.agents, queue: watch.queue ?? 0 }} admin={watch.queue !== null}>
        {place === "home" ? (
          <>
            {watch.mine > 0 ? <Alarm onLook={() => go("ready")} /> : null}
            <Home server={server} user={user} onPlace={go} onAdd={() => go("devices", true)} onFresh={onFresh} />
          </>
        ) : place === "devices" ? (
          <Devices key={String(adding)} start={adding ? "add" : "list"} />
        ) : place === "secrets" ? (
          <Secrets />
        ) : place === "ready" ? (
          <Ready onChanged={watch.reload} />
        ) : place === "approvals" ? (
          <Approvals user={user} onChanged={watch.reload} />
        ) : place === "notices" ? (
          <Notices />
        ) : (
          <Queue user={user} onChanged={watch.reload} />
        )}
      </Frame>
    </>
  );
}

type Watch = Readonly<{ mine: number; agents: number; queue: number | null; reload: () => void }>;

/** Who is on their way into this account and, for administrators, into the others'; and which agents ask. */
function useWatch(place: Place): Watch {
  const watch = useLoaded(async (api) => {
    const me = await api.me();
    const mine = (await api.recoveries()).filter(isUnderWay);
    const queue = me.role === "admin" ? (await api.queue()).filter(isUnderWay) : null;
    const asking = (await api.approvals()).filter(({ state }) => state === "open");
    return { mine: mine.length, agents: asking.length, queue: queue?.length ?? null };
  });
  const { reload } = watch;
  const seen = useRef(place);
  useEffect(() => {
    if (seen.current !== place) reload();
    seen.current = place;
    const timer = setInterval(reload, WATCH_EVERY_MS);
    return () => clearInterval(timer);
  }, [reload, place]);
  return { mine: watch.value?.mine ?? 0, agents: watch.value?.agents ?? 0, queue: watch.value?.queue ?? null, reload };
}
