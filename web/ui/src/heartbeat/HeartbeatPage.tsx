import { Button, Group, Modal } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import { useCallback, useMemo, useState } from "react";
import { useResponder } from "../api/session";
import { DataTable } from "../kit/DataTable";
import { formatCount } from "../kit/numbers";
import { offerUndo } from "../kit/offerUndo";
import { PageHead } from "../kit/PageHead";
import { Empty, Failure, Loading } from "../kit/States";
import { failToast, sayToast } from "../kit/toast";
import viewClasses from "../kit/Views.module.css";
import { makeColumns, makeNarrowColumns } from "./columns";
import { Csv } from "../kit/Csv";
import { forget, heartbeatKey, heartbeatsQuery, heartbeatStates, pause, resume, type Heartbeat } from "./query";

const lines = "curl -fsS -m 10 -H 'Authorization: Bearer YOUR_KEY' \\\n  'FAIRLEAD/in/heartbeat/nightly-backup?interval=25h'";

/** Who is expected to be heard, and whose silence raises an alert. */
export function HeartbeatPage() {
  const { q } = useSearch({ from: "__root__" });
  const queries = useQueryClient();
  const narrow = useMediaQuery("(max-width: 760px)");
  const state = heartbeatStates.find((s) => s === q);
  const { data, error, isPending, refetch, hasNextPage, isFetchingNextPage, fetchNextPage } = useInfiniteQuery({ ...heartbeatsQuery(state), placeholderData: (old) => old });
  const rows = useMemo(() => data?.pages.flatMap((page) => page.items) ?? [], [data]);
  const counts = data?.pages[0];
  const [forgetting, setForgetting] = useState<Heartbeat>();
  const more = useCallback(() => { if (hasNextPage && !isFetchingNextPage) void fetchNextPage(); }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const again = useCallback(() => queries.invalidateQueries({ queryKey: heartbeatKey }), [queries]);
  const toggle = useCallback((of: Heartbeat): void => {
    const was = of.state === "paused", done = `${was ? "Resumed" : "Paused"} ${of.name}`;
    (was ? resume : pause)(of.id).then(async () => {
      await again();
      offerUndo(done, async () => { await (was ? pause : resume)(of.id); await again(); });
    }, (failure: unknown) => failToast(`Could not ${was ? "resume" : "pause"} ${of.name}`, failure));
  }, [again]);
  const may = useResponder();
  const columns = useMemo(() => (narrow ? makeNarrowColumns(toggle) : makeColumns(toggle, setForgetting)).filter((c) => may || c.id !== "act"), [narrow, toggle, may]);
  const total = counts ? counts.heard + counts.missing + counts.waiting + counts.paused : 0;
  return (
    <>
      <PageHead title="Heartbeats" actions={rows.length > 0 ? <Csv name="fairlead-heartbeats" rows={rows} what="the heartbeats loaded" /> : undefined}>Jobs, Prometheus servers and others that report that they live. Whoever stays silent for longer than agreed raises an alert, which ends with the next report.</PageHead>
      {isPending && <Loading label="Loading heartbeats" />}
      {error && !data && <Failure error={error} retry={() => void refetch()} />}
      {counts && total > 0 && (
        <div className={viewClasses.views} style={{ margin: "0 16px 8px" }} role="group" aria-label="Views">
          {[undefined, ...heartbeatStates].map((s) => (
            <Link key={s ?? "all"} to="/heartbeats" search={s ? { q: s } : {}} className={viewClasses.view} data-on={s === state || undefined} aria-current={s === state ? "page" : undefined}>
              {s ? s.charAt(0).toUpperCase() + s.slice(1) : "All"} <span className="dim">{formatCount(s ? counts[s] : total)}</span>
            </Link>
          ))}
        </div>
      )}
      {data && total === 0 && (
        <Empty title="Nobody is expected to be heard yet" actions={<Button renderRoot={(props) => <Link to="/integrations/new" search={{ pick: "heartbeat" }} {...props} />}>Add a heartbeat</Button>} paste={{ caption: "Each heartbeat integration has an address. At the end of a job:", lines: lines.replace("FAIRLEAD", window.location.origin) }}>
          A job that has not reported for longer than its interval raises HeartbeatMissing. A Prometheus whose Watchdog alert comes here is watched by itself.
        </Empty>
      )}
      {data && total > 0 && rows.length === 0 && <Empty title={`None is ${state ?? "known"}`}>Choose another view above.</Empty>}
      {rows.length > 0 && <DataTable label="Heartbeats" rows={rows} columns={columns} rowId={(row) => row.id} rowName={(row) => row.name} rowHeight={narrow ? 58 : 36} onEnd={more} />}
      {forgetting && <ForgetDialog of={forgetting} onClose={() => setForgetting(undefined)} onDone={() => void again()} />}
    </>
  );
}

function ForgetDialog({ of, onClose, onDone }: { of: Heartbeat; onClose: () => void; onDone: () => void }) {
  const [busy, setBusy] = useState(false);
  const run = async (): Promise<void> => {
    setBusy(true);
    try {
      await forget(of.id);
      sayToast(`Forgot ${of.name}.`);
      onDone();
      onClose();
    } catch (failure) {
      failToast(`Could not forget ${of.name}`, failure);
      setBusy(false);
    }
  };
  return (
    <Modal opened onClose={onClose} title={`Forget ${of.name}?`} closeButtonProps={{ "aria-label": "Close" }}>
      <p style={{ marginTop: 0 }}>It is not expected any more, and its alert ends. It is known again when it is heard again.</p>
      <Group justify="flex-end" gap={8}>
        <Button variant="default" onClick={onClose} data-autofocus>Keep it</Button>
        <Button loading={busy} onClick={() => void run()}>Forget {of.name}</Button>
      </Group>
    </Modal>
  );
}
