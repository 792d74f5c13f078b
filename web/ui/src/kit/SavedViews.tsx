import { ActionIcon, Button, Checkbox, Menu, Popover, TextInput } from "@mantine/core";
import { IconBookmarkPlus, IconDots } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { meQuery } from "../api/session";
import { deleteView, saveView, viewsKey, viewsQuery, type SavedView } from "../api/views";
import { failToast, sayToast } from "./toast";
import classes from "./Views.module.css";

interface Props {
  /** The list's name, under which its views are kept. */
  page: string;
  to: "/" | "/alerts";
  /** The filter as it is now. */
  q: string;
  /** Whether a view that is always there has this filter. */
  known: boolean;
}

/** The views that people have saved for a list, and what saves the filter as it is now. */
export function SavedViews({ page, to, q, known }: Props) {
  const queries = useQueryClient();
  const { data: me } = useQuery(meQuery);
  const { data } = useQuery(viewsQuery(page));
  const views = data?.items ?? [];
  const at = views.find((v) => v.query === q);
  const again = (): void => void queries.invalidateQueries({ queryKey: viewsKey(page) });
  const save = async (name: string, shared: boolean): Promise<boolean> => {
    try {
      await saveView(page, name, q, shared);
      again();
      return true;
    } catch (error) {
      failToast(`Could not save the view ${name}`, error);
      return false;
    }
  };
  const remove = async (view: SavedView): Promise<void> => {
    try {
      await deleteView(view.id);
      again();
      sayToast(`Deleted the view ${view.name}`);
    } catch (error) {
      failToast(`Could not delete the view ${view.name}`, error);
    }
  };
  return (
    <>
      {views.map((view) => (
        <Link key={view.id} to={to} search={{ q: view.query }} className={classes.view} data-on={view === at || undefined} aria-current={view === at ? "page" : undefined} title={view.owner === me?.user ? view.query : `${view.query}: shared by ${view.owner}`}>
          {view.name}{view.owner !== me?.user && <span className="dim"> {view.owner}</span>}
        </Link>
      ))}
      {at && at.owner === me?.user && (
        <Menu position="bottom-start" shadow="md">
          <Menu.Target><ActionIcon variant="subtle" color="gray" size={28} aria-label={`Change the view ${at.name}`}><IconDots size={16} /></ActionIcon></Menu.Target>
          <Menu.Dropdown>
            <Menu.Item onClick={() => void save(at.name, !at.shared)}>{at.shared ? "Keep it to myself" : "Share it with all"}</Menu.Item>
            <Menu.Item onClick={() => void remove(at)}>Delete the view</Menu.Item>
          </Menu.Dropdown>
        </Menu>
      )}
      {!at && !known && q !== "" && me && <SaveButton taken={views.filter((v) => v.owner === me.user).map((v) => v.name)} onSave={save} />}
    </>
  );
}

function SaveButton({ taken, onSave }: { taken: readonly string[]; onSave: (name: string, shared: boolean) => Promise<boolean> }) {
  const [opened, setOpened] = useState(false);
  const [name, setName] = useState("");
  const [shared, setShared] = useState(false);
  const submit = async (): Promise<void> => {
    if (!name.trim() || !(await onSave(name.trim(), shared))) return;
    setOpened(false);
    setName("");
  };
  return (
    <Popover opened={opened} onChange={setOpened} position="bottom-start" shadow="md" trapFocus>
      <Popover.Target><Button variant="subtle" color="gray" size="compact-sm" leftSection={<IconBookmarkPlus size={15} aria-hidden />} onClick={() => setOpened(!opened)}>Save view</Button></Popover.Target>
      <Popover.Dropdown role="dialog" aria-label="Save this filter as a view" data-blocks-keys>
        <form className={classes.save} onSubmit={(event) => { event.preventDefault(); void submit(); }}>
          <TextInput data-autofocus size="xs" label="Name of the view" maxLength={60} value={name} onChange={(event) => setName(event.currentTarget.value)} description={taken.includes(name.trim()) ? "It takes the place of your view of that name." : undefined} />
          <Checkbox size="xs" label="All see it" checked={shared} onChange={(event) => setShared(event.currentTarget.checked)} />
          <Button type="submit" size="xs" disabled={!name.trim()}>Save</Button>
        </form>
      </Popover.Dropdown>
    </Popover>
  );
}
