import type { FlowFailure } from "@wire/FlowFailure";
import type { FlowView } from "@wire/FlowView";
import { createContext, useCallback, useContext, useEffect, useState } from "react";
import { type Api, asFailure, type OnView, tauri } from "./api";

/** The app behind the screens. */
export const ApiContext = createContext<Api>(tauri);
export const useApi = (): Api => useContext(ApiContext);

/** Something that is read when a screen opens. */
export type Loaded<T> = Readonly<{ value: T | null; failure: FlowFailure | null; reload: () => void }>;

/** Reads once, and again on `reload`. */
export function useLoaded<T>(read: (api: Api) => Promise<T>): Loaded<T> {
  const api = useApi();
  const [round, setRound] = useState(0);
  const [value, setValue] = useState<T | null>(null);
  const [failure, setFailure] = useState<FlowFailure | null>(null);
  useEffect(() => {
    let wanted = true;
    setFailure(null);
    read(api).then(
      (read) => wanted && setValue(read),
      (error: unknown) => wanted && setFailure(asFailure(error)),
    );
    return () => {
      wanted = false;
    };
    // `read` is written in place by each screen; only `reload` reads again.
  }, [api, round]);
  return { value, failure, reload: useCallback(() => setRound((n) => n + 1), []) };
}

/** Something that a person sets off, with the views of the flow that it may need. */
export type Act<A extends unknown[], T> = Readonly<{
  run: (...values: A) => Promise<T | null>;
  busy: boolean;
  view: FlowView | null;
  failure: FlowFailure | null;
  clear: () => void;
}>;

/** Runs one call at a time; answers with `null` when it failed, and keeps the failure to show. */
export function useAct<A extends unknown[], T>(call: (api: Api, onView: OnView, ...values: A) => Promise<T>): Act<A, T> {
  const api = useApi();
  const [busy, setBusy] = useState(false);
  const [view, setView] = useState<FlowView | null>(null);
  const [failure, setFailure] = useState<FlowFailure | null>(null);
  const run = async (...values: A): Promise<T | null> => {
    setBusy(true);
    setFailure(null);
    try {
      return await call(api, setView, ...values);
    } catch (error) {
      const failure = asFailure(error);
      if (failure.code !== "cancelled") setFailure(failure);
      return null;
    } finally {
      setBusy(false);
      setView(null);
    }
  };
  return { run, busy, view, failure, clear: () => setFailure(null) };
}

/** The time of day, told anew each second while something counts down. */
export function useNow(ticking: boolean): Date {
  const [now, setNow] = useState(() => new Date());
  useEffect(() => {
    if (!ticking) return undefined;
    setNow(new Date());
    const timer = setInterval(() => setNow(new Date()), 1000);
    return () => clearInterval(timer);
  }, [ticking]);
  return now;
}
