import { Button, Tabs } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { integrationQuery } from "../api/queries";
import type { IntegrationDetail } from "../api/types";
import { useConnection } from "../app/Connection";
import { useCommands } from "../kit/commands";
import { useKeys } from "../kit/keys";
import { formatCount, plural } from "../kit/numbers";
import { PageHead } from "../kit/PageHead";
import { Failure, Loading } from "../kit/States";
import { Time } from "../kit/Time";
import { Captures } from "./Captures";
import { DeleteDialog } from "./DeleteDialog";
import classes from "./integration.module.css";
import { KeyTable } from "./KeyTable";
import { MapperTab } from "./MapperTab";
import { RotateDialog } from "./RotateDialog";
import { senderOf, useMaps } from "./senders";
import { SettingsForm } from "./SettingsForm";
import { SetUp, unknownKey } from "./SetUp";

export function IntegrationPage() {
  const { name } = useParams({ from: "/integrations/$name" });
  const { data, error, isPending, refetch } = useQuery(integrationQuery(name));
  if (isPending) return <Loading label="Loading the integration" />;
  if (!data) return <Failure error={error} retry={() => void refetch()} />;
  return <Loaded key={name} integration={data} />;
}

function Facts({ of }: { of: IntegrationDetail }) {
  return (
    <span className="facts">
      <span>{senderOf(of.kind).title}</span>
      <span>{plural(of.requests, "request")}</span>
      <span>{plural(of.alerts, "alert")}</span>
      {of.refused > 0 && <span>{formatCount(of.refused)} refused</span>}
      {of.rejected > 0 && <span>{plural(of.rejected, "piece")} not usable</span>}
      <span>{of.lastAt ? <>last seen <Time at={of.lastAt} /></> : "not seen yet"}</span>
      {of.observe && <span>only watched: nobody is told</span>}
      {of.forward && <span>passed on to {of.forward}</span>}
    </span>
  );
}

const tabs = ["payloads", "mapper", "set-up", "settings"] as const;

function Loaded({ integration }: { integration: IntegrationDetail }) {
  const { name, kind, captures } = integration;
  const search = useSearch({ from: "__root__" });
  const navigate = useNavigate();
  const [dialog, setDialog] = useState<"rotate" | "delete">();
  const stale = useConnection() === "lost";
  const maps = useMaps(kind);
  const tab = tabs.find((t) => t === search.tab && (t !== "mapper" || maps)) ?? "payloads";
  const signed = senderOf(kind).signed === true;
  useKeys({ Escape: () => void navigate({ to: "/integrations", search: {} }) });
  useCommands(useMemo(() => [
    ...(signed ? [] : [{ id: "rotate", label: `New key for ${name}…`, run: () => setDialog("rotate") }]),
    { id: "delete", label: `Delete ${name}…`, run: () => setDialog("delete") },
  ], [name, signed]));
  return (
    <>
      <PageHead title={name} actions={<><Button variant="default" onClick={() => setDialog("rotate")} hidden={signed}>New key…</Button><Button variant="default" onClick={() => setDialog("delete")}>Delete…</Button></>}>
        <Facts of={integration} />
      </PageHead>
      <div className={classes.page} data-stale={stale || undefined}>
        <Tabs value={tab} onChange={(value) => void navigate({ to: ".", replace: true, search: value === "payloads" || value === null ? {} : { tab: value } })} keepMounted={false}>
          <Tabs.List>
            <Tabs.Tab value="payloads">Payloads{captures.length > 0 && ` (${captures.length})`}</Tabs.Tab>
            {maps && <Tabs.Tab value="mapper">Mapper</Tabs.Tab>}
            <Tabs.Tab value="set-up">Set up</Tabs.Tab>
            <Tabs.Tab value="settings">Settings</Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="payloads">
            <p className="dim" style={{ marginBottom: 0 }}>{captures.length > 0 ? "The last 10 payloads, at most one a second, without secrets." : "Nothing has come through yet. The set-up tab has the lines for the tool and a test."}</p>
            <Captures integration={integration} />
          </Tabs.Panel>
          {maps && <Tabs.Panel value="mapper"><MapperTab integration={integration} pick={search.pick} /></Tabs.Panel>}
          <Tabs.Panel value="set-up">
            <div className={classes.column}>
              {!signed && <p className="dim">{integration.keys.length > 0 ? `Put the key for ${unknownKey}. It is not known here any more; a new one can be made above.` : `No key is set: senders on this machine are let in without one, others not at all. Make one above and put it for ${unknownKey}.`}</p>}
              <SetUp kind={kind} name={name} />
            </div>
          </Tabs.Panel>
          <Tabs.Panel value="settings"><SettingsForm integration={integration} /><KeyTable integration={integration} /></Tabs.Panel>
        </Tabs>
      </div>
      {dialog === "rotate" && <RotateDialog integration={integration} onClose={() => setDialog(undefined)} />}
      {dialog === "delete" && <DeleteDialog integration={integration} onClose={() => setDialog(undefined)} />}
    </>
  );
}
