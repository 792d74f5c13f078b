import { Button, Drawer } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { createColumnHelper } from "@tanstack/react-table";
import { useCallback, useMemo } from "react";
import { deadLettersQuery, keys, send } from "../api/queries";
import type { DeadLetter } from "../api/types";
import alertClasses from "../alert/alert.module.css";
import { DataTable, type Column } from "../kit/DataTable";
import { Empty, Failure, Loading } from "../kit/States";
import { Time } from "../kit/Time";
import { failToast, sayToast } from "../kit/toast";

/** The payload, indented when it is JSON. */
function pretty(payload: string): string {
  try {
    return JSON.stringify(JSON.parse(payload), null, 2);
  } catch {
    return payload;
  }
}

function Replay({ letter }: { letter: DeadLetter }) {
  const queries = useQueryClient();
  const { mutate, isPending } = useMutation({
    mutationFn: () => send.replay(letter.id),
    onSuccess: (answer) => {
      if (answer.result === "accepted") sayToast(`${letter.id} was accepted this time.`);
      else failToast(`${letter.id} was refused again`, new Error(answer.reason));
    },
    onError: (error) => failToast(`Could not replay ${letter.id}`, error),
    onSettled: () => queries.invalidateQueries({ queryKey: keys.deadLetters }),
  });
  return <Button variant="default" size="compact-xs" loading={isPending} onClick={() => mutate()}>Replay</Button>;
}

const column = createColumnHelper<DeadLetter>();
const columns: Column<DeadLetter>[] = [
  column.accessor("at", { header: "Arrived", meta: { width: 130 }, cell: (c) => <Time at={c.row.original.at} /> }),
  column.accessor("reason", { header: "Why it was refused", cell: (c) => <Link to="." search={(old) => ({ ...old, pick: c.row.original.id })} title={c.row.original.reason}>{c.row.original.reason}</Link> }),
  column.accessor("receiver", { header: "Receiver", meta: { width: 130 } }),
  column.accessor("replayedAt", { header: "Replayed", meta: { width: 130 }, cell: (c) => (c.row.original.replayedAt ? <Time at={c.row.original.replayedAt} /> : <span className="dim">not yet</span>) }),
  column.display({ id: "replay", header: "Action", meta: { width: 110, right: true }, cell: (c) => <Replay letter={c.row.original} /> }),
];

const narrow = new Set(["reason", "replay"]);
const narrowColumns = columns.filter((c) => narrow.has(c.id ?? ("accessorKey" in c ? String(c.accessorKey) : "")));

/** What arrived and could not be taken: why, what it was, and another try. */
export function DeadLetterPage() {
  const { pick } = useSearch({ from: "__root__" });
  const navigate = useNavigate();
  const isNarrow = useMediaQuery("(max-width: 760px)");
  const query = useInfiniteQuery(deadLettersQuery);
  const rows = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  const more = useCallback(() => { if (hasNextPage && !isFetchingNextPage) void fetchNextPage(); }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const letter = rows.find((row) => row.id === pick);
  return (
    <>
      <header className={alertClasses.head}>
        <h1 className={alertClasses.title}>Dead letters</h1>
        <p className="dim" style={{ margin: 0 }}>What a sender sent and Fairlead could not take. Nothing here became an alert; after the cause is mended, replay it.</p>
      </header>
      {query.isPending && <Loading label="Loading dead letters" />}
      {query.isError && <Failure error={query.error} retry={() => void query.refetch()} />}
      {query.isSuccess && rows.length === 0 && <Empty title="Nothing was refused">An alert that cannot be read is kept here with the reason and its payload, so that you can mend the sender and replay it.</Empty>}
      {rows.length > 0 && <DataTable label="Dead letters" rows={rows} columns={isNarrow ? narrowColumns : columns} rowId={(row) => row.id} rowName={(row) => row.id} onEnd={more} />}
      <Drawer opened={letter !== undefined} onClose={() => void navigate({ to: ".", search: (old) => ({ ...old, pick: undefined }) })} position="right" size={620} title={letter?.id} closeButtonProps={{ "aria-label": "Close" }} overlayProps={{ backgroundOpacity: 0.2 }}>
        {letter && (
          <>
            <p style={{ marginTop: 0 }}>{letter.reason}</p>
            {letter.truncated && <p className="dim">The payload was longer than what is kept.</p>}
            <p className="dim">Arrived <Time at={letter.at} /> by {letter.receiver}. <Replay letter={letter} /></p>
            <pre className="mono" style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>{pretty(letter.payload)}</pre>
          </>
        )}
      </Drawer>
    </>
  );
}
