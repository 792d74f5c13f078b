import { Menu, Pill, PillsInput, Button } from "@mantine/core";
import { IconCheck, IconFilter } from "@tabler/icons-react";
import { useRef, useState } from "react";
import { formatFilter, parseFilter, toggleTerm } from "./filter";
import { useKeys } from "./keys";
import classes from "./FilterBar.module.css";

interface Props {
  value: string;
  onChange: (value: string) => void;
  /** The keys that may be filtered by, with their values to choose from. */
  choices: Record<string, readonly string[]>;
  placeholder: string;
  label: string;
}

/** Filter chips that are also text: type `state:open`, or pick; backspace turns the last chip back into text. */
export function FilterBar({ value, onChange, choices, placeholder, label }: Props) {
  const keys = Object.keys(choices);
  const filter = parseFilter(value, keys);
  const [draft, setDraft] = useState(filter.text);
  const [last, setLast] = useState(value);
  const [sent, setSent] = useState<readonly string[]>([]); // what this box put into the URL and has not seen come back
  const input = useRef<HTMLInputElement>(null);
  if (last !== value) {
    setLast(value);
    const at = sent.indexOf(value);
    setSent(sent.slice(at + 1));
    if (at < 0) setDraft(filter.text); // the URL changed by other means
  }
  const put = (next: string): void => {
    if (next === (sent.at(-1) ?? value)) return;
    setSent([...sent.slice(-8), next]);
    onChange(next);
  };
  useKeys({ "/": () => input.current?.focus() });

  const type = (text: string): void => {
    const typed = parseFilter(text, keys);
    const done = text.endsWith(" ");
    const word = text.split(" ").at(-1) ?? "";
    if (!done && keys.some((key) => word.toLowerCase().startsWith(`${key}:`))) {
      setDraft(text); // a chip is still being written
      return;
    }
    setDraft(done && typed.text && Object.keys(typed.terms).length === 0 ? text : typed.text);
    put(formatFilter({ terms: { ...filter.terms, ...typed.terms }, text: typed.text }));
  };

  const onKey = (event: React.KeyboardEvent<HTMLInputElement>): void => {
    if (event.key === "Enter") type(`${draft} `);
    if (event.key === "Escape") input.current?.blur();
    const last = Object.entries(filter.terms).at(-1);
    if (event.key === "Backspace" && event.currentTarget.selectionEnd === 0 && last) {
      event.preventDefault();
      const terms = Object.fromEntries(Object.entries(filter.terms).filter(([key]) => key !== last[0]));
      setDraft(`${last[0]}:${last[1].join(",")}${draft ? ` ${draft}` : ""}`);
      put(formatFilter({ terms, text: "" }));
    }
  };

  return (
    <div className={classes.bar} role="search" aria-label={label}>
      <PillsInput size="xs" className={classes.input} onClick={() => input.current?.focus()}>
        <Pill.Group gap={6}>
          {Object.entries(filter.terms).map(([key, values]) => (
            <Pill key={key} size="sm" withRemoveButton removeButtonProps={{ "aria-label": `Remove filter ${key}`, "aria-hidden": false, tabIndex: 0 }} onRemove={() => put(formatFilter({ ...filter, terms: Object.fromEntries(Object.entries(filter.terms).filter(([k]) => k !== key)) }))}>
              <span className="dim">{key}:</span>{values.join(",")}
            </Pill>
          ))}
          <PillsInput.Field ref={input} className={classes.field} value={draft} placeholder={value ? "" : placeholder} aria-label={label} onChange={(event) => type(event.currentTarget.value)} onKeyDown={onKey} />
        </Pill.Group>
      </PillsInput>
      <Menu position="bottom-end" closeOnItemClick={false} shadow="md">
        <Menu.Target><Button variant="default" className={classes.button} leftSection={<IconFilter size={14} />}><span className={classes.word}>Filter</span></Button></Menu.Target>
        <Menu.Dropdown mah={420} style={{ overflowY: "auto" }}>
          {keys.map((key) => (
            <div key={key}>
              <Menu.Label>{key}</Menu.Label>
              {choices[key]?.map((choice) => {
                const on = filter.terms[key]?.includes(choice) ?? false;
                return <Menu.Item key={choice} role="menuitemcheckbox" aria-checked={on} leftSection={<IconCheck size={14} opacity={on ? 1 : 0} />} onClick={() => put(formatFilter(toggleTerm(filter, key, choice)))}>{choice}</Menu.Item>;
              })}
            </div>
          ))}
        </Menu.Dropdown>
      </Menu>
    </div>
  );
}
