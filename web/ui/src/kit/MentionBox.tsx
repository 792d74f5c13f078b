import { Combobox, Textarea, useCombobox } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { peopleQuery } from "../api/people";
import { completeName, writtenName } from "./mentions";
import classes from "./Mentioned.module.css";

interface Props {
  label: string;
  hideLabel?: boolean;
  placeholder?: string;
  description?: string;
  value: string;
  onChange: (text: string) => void;
  onSubmit: () => void;
  rows: number;
  first?: boolean;
}

const mostShown = 8;

/** A box to write in. After an "@" it offers who can be named; Ctrl Enter submits. */
export function MentionBox({ label, hideLabel, placeholder, description, value, onChange, onSubmit, rows, first }: Props) {
  const box = useRef<HTMLTextAreaElement>(null);
  const [caret, setCaret] = useState(0);
  const [closedAt, setClosedAt] = useState<string>();
  const written = writtenName(value, caret)?.toLowerCase();
  const { data } = useQuery({ ...peopleQuery, enabled: written !== undefined });
  const found = written === undefined || closedAt === value ? [] : (data?.items ?? []).filter((p) => p.name.toLowerCase().startsWith(written) || p.display.toLowerCase().includes(written)).slice(0, mostShown);
  const list = useCombobox({ opened: found.length > 0 });
  const pick = (name: string): void => {
    const next = completeName(value, caret, name);
    onChange(next.text);
    setCaret(next.caret);
    requestAnimationFrame(() => box.current?.setSelectionRange(next.caret, next.caret));
  };
  const onKey = (event: React.KeyboardEvent<HTMLTextAreaElement>): void => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      onSubmit();
    } else if (found.length > 0 && (event.key === "Enter" || event.key === "Tab") && list.getSelectedOptionIndex() >= 0) {
      event.preventDefault();
      list.clickSelectedOption();
    } else if (found.length > 0 && event.key === "Escape") {
      event.stopPropagation();
      setClosedAt(value);
    } else if (!first && event.key === "Escape") {
      box.current?.blur(); // so that the page's keys work again; in a dialog, Escape closes that
    } else if (found.length > 0 && event.key === "ArrowDown") {
      event.preventDefault();
      list.selectNextOption();
    } else if (found.length > 0 && event.key === "ArrowUp") {
      event.preventDefault();
      list.selectPreviousOption();
    }
  };
  return (
    <Combobox store={list} onOptionSubmit={pick} position="bottom-start" width={260} withinPortal={false} shadow="md">
      <Combobox.Target withKeyboardNavigation={false}>
        <Textarea ref={box} data-autofocus={first ? true : undefined} label={hideLabel ? undefined : label} aria-label={hideLabel ? label : undefined} placeholder={placeholder} description={description} autosize minRows={rows} maxRows={12} maxLength={4000} value={value} rightSectionPointerEvents="none"
          onChange={(event) => { onChange(event.currentTarget.value); setCaret(event.currentTarget.selectionStart); }} onSelect={(event) => setCaret(event.currentTarget.selectionStart)} onKeyDown={onKey} />
      </Combobox.Target>
      <Combobox.Dropdown hidden={found.length === 0}>
        <Combobox.Options className={classes.people} aria-label="People to name">
          {found.map((p) => <Combobox.Option key={p.name} value={p.name}>{p.name} {p.display !== p.name && <span className="dim">{p.display}</span>}</Combobox.Option>)}
        </Combobox.Options>
      </Combobox.Dropdown>
    </Combobox>
  );
}
