import { TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { integrationsQuery } from "../api/queries";
import type { IntegrationMade } from "../api/types";
import { PageHead } from "../kit/PageHead";
import { Empty, Failure, Loading } from "../kit/States";
import { CreateForm } from "./CreateForm";
import classes from "./integration.module.css";
import { Made } from "./Made";
import { offered, senderOf, type Sender } from "./senders";

function Picker({ senders }: { senders: readonly Sender[] }) {
  const [text, setText] = useState("");
  const wanted = text.toLowerCase().trim();
  const found = senders.filter((s) => `${s.title} ${s.kind} ${s.what}`.toLowerCase().includes(wanted));
  return (
    <>
      <TextInput size="xs" w={280} maw="100%" placeholder="Find a sender" aria-label="Find a sender" value={text} onChange={(event) => setText(event.currentTarget.value)} />
      <div className={classes.senders}>
        {found.map((sender) => (
          <Link key={sender.kind} to="/integrations/new" search={{ pick: sender.kind }} className={classes.sender}>
            <span className={classes.name}>{sender.title}</span><span className="dim">{sender.what}</span>
          </Link>
        ))}
      </div>
      {found.length === 0 && <Empty title="No sender matches">Generic JSON takes what any tool can post; a mapper reads it.</Empty>}
    </>
  );
}

/** Pick a sender, name it, get its key and its lines, see its first payload. */
export function NewIntegrationPage() {
  const { pick } = useSearch({ from: "__root__" });
  const navigate = useNavigate();
  const { data, error, refetch } = useQuery({ ...integrationsQuery, refetchInterval: false });
  const [made, setMade] = useState<IntegrationMade>();
  const sender = pick === undefined ? undefined : senderOf(pick);
  if (made) return <Made made={made} />;
  return (
    <>
      <PageHead title={sender ? `Add ${sender.title}` : "Add an integration"}>{sender ? sender.what : "Which tool shall send here?"}</PageHead>
      <div className={classes.page}>
        {!data && (error ? <Failure error={error} retry={() => void refetch()} /> : <Loading label="Loading senders" rows={6} />)}
        {data && !sender && <Picker senders={offered(data.kinds)} />}
        {data && sender && <CreateForm key={sender.kind} sender={sender} taken={data.items.map((i) => i.name)} onMade={setMade} onBack={() => void navigate({ to: "/integrations/new", search: {} })} />}
      </div>
    </>
  );
}
