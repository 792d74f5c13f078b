import { ActionIcon, Button, Popover } from "@mantine/core";
import { IconAt } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { mentionKey, mentionsQuery, seeMentions } from "../api/people";
import { Mentioned } from "../kit/Mentioned";
import { plural } from "../kit/numbers";
import { Time } from "../kit/Time";
import { failToast } from "../kit/toast";
import classes from "./Mentions.module.css";

/** Where one was named, with how often one has not looked yet. */
export function Mentions() {
  const queries = useQueryClient();
  const [opened, setOpened] = useState(false);
  const { data } = useQuery(mentionsQuery);
  const items = data?.items ?? [];
  const unseen = items.filter((m) => !m.seenAt);
  const see = async (steps: string[]): Promise<void> => {
    try {
      await seeMentions(steps);
      await queries.invalidateQueries({ queryKey: mentionKey });
    } catch (error) {
      failToast("Could not mark the mention as seen", error);
    }
  };
  const label = unseen.length > 0 ? `Mentions: ${plural(unseen.length, "new one")}` : "Mentions";
  return (
    <Popover opened={opened} onChange={setOpened} position="top-start" shadow="md" width={340} trapFocus>
      <Popover.Target>
        <ActionIcon variant="subtle" color="gray" size={30} aria-label={label} title={label} className={classes.button} data-count={unseen.length > 0 ? unseen.length : undefined} onClick={() => setOpened(!opened)}><IconAt size={16} /></ActionIcon>
      </Popover.Target>
      <Popover.Dropdown role="dialog" aria-label="Mentions" data-blocks-keys className={classes.list}>
        {items.length === 0 && <p className="dim">Nobody has named you yet. Whoever writes @ and your name in a note of an incident tells you here.</p>}
        {unseen.length > 1 && <Button variant="subtle" color="gray" size="compact-xs" onClick={() => void see([])}>Mark all as seen</Button>}
        {items.map((m) => (
          <Link key={m.step} to="/incidents/$id" params={{ id: m.incident }} search={{}} className={classes.item} data-new={!m.seenAt || undefined} onClick={() => { setOpened(false); if (!m.seenAt) void see([m.step]); }}>
            <span className="dim facts"><span>{m.actor}</span><span>{m.incident}</span><span><Time at={m.at} /></span></span>
            <span className={classes.text}><Mentioned text={m.text} /></span>
          </Link>
        ))}
      </Popover.Dropdown>
    </Popover>
  );
}
