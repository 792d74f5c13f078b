import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { integrationQuery } from "../api/queries";
import type { IntegrationMade } from "../api/types";
import { PageHead } from "../kit/PageHead";
import { Captures, Waiting } from "./Captures";
import classes from "./integration.module.css";
import { Secret } from "./Secret";
import { senderOf } from "./senders";
import { SetUp } from "./SetUp";

/** What to do with a new integration: its key, the lines to paste, and the first payload as it arrives. */
export function Made({ made }: { made: IntegrationMade }) {
  const { name, kind } = made.integration;
  const sender = senderOf(kind);
  const { data } = useQuery({ ...integrationQuery(name), refetchInterval: 1_000 });
  const arrived = data !== undefined && data.captures.length > 0;
  return (
    <>
      <PageHead title={`${name} is ready`} actions={<Button renderRoot={(props) => <Link to="/integrations/$name" params={{ name }} search={{}} {...props} />} variant={arrived ? "filled" : "default"}>Open {name}</Button>}>
        {sender.title}. Three things are left: the key, the lines for the tool, and its first payload.
      </PageHead>
      <div className={classes.page}>
        <div className={classes.column}>
          {sender.signed !== true && <><h2 className={classes.heading}>1. The key</h2><Secret secret={made.key} signing={made.signing_key} /></>}
          <h2 className={classes.heading}>{sender.signed ? "1" : "2"}. Point the tool here</h2>
          <SetUp kind={kind} name={name} secret={made.key} signing={made.signing_key} />
          <h2 className={classes.heading}>{sender.signed ? "2" : "3"}. The first payload</h2>
          {arrived ? <Captures integration={data} /> : <Waiting />}
        </div>
      </div>
    </>
  );
}
