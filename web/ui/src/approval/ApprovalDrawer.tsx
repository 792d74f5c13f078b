import { Button, Drawer, Group, Textarea } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { keys } from "../api/queries";
import { Copy } from "../kit/Copy";
import { plural } from "../kit/numbers";
import { Failure, Loading } from "../kit/States";
import { Time } from "../kit/Time";
import { sayToast } from "../kit/toast";
import { ApprovalMark } from "./ApprovalMark";
import { markdownOf } from "../kit/markdown";
import classes from "./approval.module.css";
import { approvalKey, approvalQuery, decide, type Approval } from "./query";

/** One approval: what, why, by whom, and the decision. */
export function ApprovalDrawer({ id, onClose }: { id: string; onClose: () => void }) {
  const { data, error, isPending, refetch } = useQuery(approvalQuery(id));
  return (
    <Drawer opened onClose={onClose} position="right" size={560} title={id} closeButtonProps={{ "aria-label": "Close" }} overlayProps={{ backgroundOpacity: 0.2 }}>
      {isPending && <Loading rows={6} label="Loading the approval" />}
      {error && !data && <Failure error={error} retry={() => void refetch()} />}
      {data && <Loaded of={data} />}
    </Drawer>
  );
}

const approvalMarkdown = (of: Approval): string => markdownOf(of.summary, `${window.location.origin}/approvals?pick=${of.id}`, [
  ["state", of.state], ["asked by", `${of.requester}, ${of.createdAt}`], ["why", of.reason], ...of.decisions.map((d): [string, string] => [d.approve ? "approved by" : "rejected by", `${d.by}, ${d.at}: ${d.reason}`]), ["result", of.result],
]);

function Loaded({ of }: { of: Approval }) {
  return (
    <div className={classes.drawer}>
      <p className={classes.summary}>{of.summary}</p>
      <p className="facts"><ApprovalMark state={of.state} /><span className="dim">asked by {of.requester} <Time at={of.createdAt} /></span>{of.state === "pending" && <span className="dim">expires <Time at={of.expiresAt} /></span>}</p>
      <h3>Why</h3>
      <p>{of.reason}</p>
      <h3>Decisions</h3>
      {of.decisions.length === 0 && <p className="dim">None yet. {of.needed > 1 ? `${of.needed} people must approve.` : "One other person must approve."}</p>}
      <ul className={classes.decisions}>
        {of.decisions.map((d) => <li key={d.by + d.at}><b>{d.by}</b> {d.approve ? "approved" : "rejected"} <span className="dim"><Time at={d.at} /></span>{d.solo && <span className="dim">, alone: nobody else may decide here</span>}<p>{d.reason}</p></li>)}
      </ul>
      {of.result && <><h3>Result</h3><p>{of.result}{of.done > 0 && <span className="dim"> {plural(of.done, "piece")} done.</span>}</p></>}
      <Decide of={of} />
      <Group gap={8} mt="md"><Copy value={`${window.location.origin}/approvals?pick=${of.id}`} label="Copy link" /><Copy value={approvalMarkdown(of)} label="Copy as Markdown" /></Group>
    </div>
  );
}

type Verb = "approve" | "reject" | "cancel";
const past: Record<Verb, string> = { approve: "Approved", reject: "Rejected", cancel: "Taken back" };

function Decide({ of }: { of: Approval }) {
  const queries = useQueryClient();
  const [reason, setReason] = useState("");
  const { mutate, isPending, error, variables } = useMutation({
    mutationFn: (verb: Verb) => decide[verb](of.id, reason.trim()),
    onSuccess: (_, verb) => {
      sayToast(`${past[verb]}: ${of.summary}`);
      setReason("");
      void queries.invalidateQueries({ queryKey: approvalKey });
      void queries.invalidateQueries({ queryKey: keys.integrations });
    },
  });
  if (of.state !== "pending") return null;
  const given = reason.trim() !== "";
  return (
    <form className={classes.form} onSubmit={(event) => { event.preventDefault(); if (of.mayDecide && given) mutate("approve"); }}>
      {of.solo && <p>Nobody else may decide here, so you may confirm your own request. The audit log says that one person alone did both.</p>}
      {!of.mayDecide && of.whyNot && <p className="dim">{of.whyNot}</p>}
      {(of.mayDecide || of.mayCancel) && <Textarea label={of.mayDecide ? "Your reason" : "Why you take it back (optional)"} autosize minRows={2} maxLength={1000} required={of.mayDecide} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />}
      {error && <p role="alert">{error.message}</p>}
      <Group gap={8}>
        {of.mayDecide && <Button type="submit" disabled={!given} loading={isPending && variables === "approve"}>Approve</Button>}
        {of.mayDecide && <Button variant="default" disabled={!given} loading={isPending && variables === "reject"} onClick={() => mutate("reject")}>Reject</Button>}
        {of.mayCancel && <Button variant="default" loading={isPending && variables === "cancel"} onClick={() => mutate("cancel")}>Take it back</Button>}
      </Group>
    </form>
  );
}
