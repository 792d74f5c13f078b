import { Modal } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { meQuery } from "../api/session";
import { placesFor } from "./places";
import classes from "./Shell.module.css";

const shortcuts: [string, string][] = [
  ["⌘ K", "commands: every page, every open incident, every action"],
  ["j  k", "next, previous row"],
  ["enter", "open the row"],
  ["x", "select the row"],
  ["e", "acknowledge the selection, the row or the incident"],
  ["r", "resolve the selection, the row or the incident"],
  ["a", "give the selection, the row or the incident to somebody"],
  ["n", "write a note on the incident"],
  ["m", "merge the selection or the incident"],
  ["u", "undo the last thing done"],
  ["/", "filter"],
  ["1 … 9", ""], // the menu's first nine, which depend on one's roles
  ["?", "this help"],
  ["esc", "close; give up the selection"],
];

export function Help({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { data: me } = useQuery(meQuery);
  const pages = placesFor(me).slice(0, 9).map((p) => p.word.toLowerCase()).join(", ");
  return (
    <Modal opened={opened} onClose={onClose} title="Keyboard" closeButtonProps={{ "aria-label": "Close" }}>
      <table className={classes.help}>
        <thead className="hidden-text"><tr><th scope="col">Key</th><th scope="col">What it does</th></tr></thead>
        <tbody>{shortcuts.map(([key, text]) => <tr key={key}><td>{key.split("  ").map((k) => <kbd key={k} style={{ marginRight: 4 }}>{k}</kbd>)}</td><td>{text || pages}</td></tr>)}</tbody>
      </table>
    </Modal>
  );
}
