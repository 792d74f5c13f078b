import { Chip, Group, NumberInput, Select, TagsInput, Textarea, TextInput } from "@mantine/core";
import { useMemo } from "react";
import type { Draft } from "./draft";
import classes from "./maintenance.module.css";
import { days, writeRule, type Choice, type Repeat } from "./rule";
import { toInstant, zones } from "./zoned";

interface Props {
  draft: Draft;
  errors: Readonly<Record<string, string>>;
  onChange: (part: Partial<Draft>) => void;
}

const repeats: { value: Repeat; label: string }[] = [
  { value: "once", label: "Once" }, { value: "daily", label: "Daily" }, { value: "weekly", label: "Weekly" }, { value: "monthly", label: "Monthly" }, { value: "custom", label: "By a rule (RFC 5545)" },
];

const units = { daily: "days", weekly: "weeks", monthly: "months", once: "", custom: "" };

function RepeatFields({ choice, error, onChange }: { choice: Choice; error: string | undefined; onChange: (choice: Choice) => void }) {
  const set = (part: Partial<Choice>): void => onChange({ ...choice, ...part });
  return (
    <>
      <div className={classes.two}>
        <Select size="xs" label="Repeats" data={repeats} value={choice.repeat} allowDeselect={false} onChange={(value) => { const repeat = repeats.find((r) => r.value === value)?.value ?? "once"; set({ repeat, ...(repeat === "custom" ? { text: writeRule(choice) } : {}) }); }} error={choice.repeat === "custom" ? undefined : error} />
        {units[choice.repeat] && <NumberInput size="xs" label={`Every so many ${units[choice.repeat]}`} min={1} max={99} value={choice.every} onChange={(value) => set({ every: Math.max(1, Number(value) || 1) })} />}
      </div>
      {choice.repeat === "weekly" && (
        <Chip.Group multiple value={choice.on} onChange={(on) => set({ on })}>
          <Group gap={6} role="group" aria-label="On these days">{days.map(([code, name]) => <Chip key={code} value={code} size="xs" variant="outline" aria-label={name}>{name.slice(0, 3)}</Chip>)}</Group>
        </Chip.Group>
      )}
      {choice.repeat === "custom" && <TextInput size="xs" label="Rule" placeholder="FREQ=MONTHLY;BYDAY=1SA" value={choice.text} error={error} onChange={(event) => set({ text: event.currentTarget.value })} styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }} />}
    </>
  );
}

export function WindowFields({ draft, errors, onChange }: Props) {
  const all = useMemo(() => zones(), []);
  const [start, end] = [toInstant(draft.starts, draft.zone), toInstant(draft.ends, draft.zone)];
  // The end moves with the start, so that the length stays.
  const move = (starts: string): void => {
    const next = toInstant(starts, draft.zone);
    if (next === undefined || start === undefined || end === undefined) onChange({ starts });
    else onChange({ starts, ends: shift(draft.ends, next - start) });
  };
  return (
    <>
      <TextInput size="xs" label="Work" placeholder="patch day" value={draft.title} error={errors.title} onChange={(event) => onChange({ title: event.currentTarget.value })} maxLength={200} required withAsterisk={false} data-autofocus />
      <div className={classes.two}>
        <TextInput size="xs" type="datetime-local" label="Starts" value={draft.starts} error={errors.startsAt} onChange={(event) => move(event.currentTarget.value)} />
        <TextInput size="xs" type="datetime-local" label="Ends" value={draft.ends} error={errors.endsAt ?? (start !== undefined && end !== undefined && end <= start ? "It ends before it starts." : undefined)} onChange={(event) => onChange({ ends: event.currentTarget.value })} />
      </div>
      <Select size="xs" label="Time zone" searchable data={all} value={draft.zone} allowDeselect={false} limit={100} error={errors.zone} onChange={(zone) => onChange({ zone: zone ?? "UTC" })} />
      <RepeatFields choice={draft.choice} error={errors.rule} onChange={(choice) => onChange({ choice })} />
      <TagsInput size="xs" label="Entities" description="What is worked on, for instance service:cart or host:db-1." placeholder={draft.entities.length ? "" : "service:cart"} value={draft.entities} error={errors.entities} onChange={(entities) => onChange({ entities })} acceptValueOnBlur styles={{ pill: { fontSize: 12 } }} />
      <TagsInput size="xs" label="Matchers" description="As in a silence; all must match, and an entity too if one is named." placeholder={draft.matchers.length ? "" : 'team="shop"'} value={draft.matchers} error={errors.matchers} onChange={(matchers) => onChange({ matchers })} splitChars={[]} acceptValueOnBlur styles={{ pill: { fontSize: 12 } }} />
      <Textarea size="xs" label="Comment" value={draft.comment} autosize minRows={2} maxRows={6} error={errors.comment} onChange={(event) => onChange({ comment: event.currentTarget.value })} />
    </>
  );
}

/** A wall time moved by so many milliseconds. */
const shift = (wall: string, by: number): string => new Date(Date.parse(`${wall}:00Z`) + by).toISOString().slice(0, 16);
