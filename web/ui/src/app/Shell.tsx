import { useQuery } from "@tanstack/react-query";
import { Outlet, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { AlertDrawer } from "../alert/AlertDrawer";
import { meQuery } from "../api/session";
import { useActions } from "../incident/actions";
import { useKeys } from "../kit/keys";
import { ConnectionBanner } from "./Connection";
import { Help } from "./Help";
import { Nav } from "./Nav";
import { Palette } from "./Palette";
import { placesFor } from "./places";
import classes from "./Shell.module.css";

/** What surrounds every page: the menu, the state of the connection, the palette and the help. */
export function Shell() {
  const [help, setHelp] = useState(false);
  const navigate = useNavigate();
  const actions = useActions();
  const { data: me } = useQuery(meQuery);
  useKeys({
    "?": () => setHelp(true),
    u: () => actions.undoLast(),
    ...Object.fromEntries(placesFor(me).slice(0, 9).map(({ to }, i) => [String(i + 1), () => void navigate({ to, search: {} })])),
  });
  return (
    <div className={classes.shell}>
      <a href="#main" className={classes.skip}>Skip to content</a>
      <Nav onHelp={() => setHelp(true)} />
      <div className={classes.column}>
        <ConnectionBanner />
        <main id="main" className={classes.main} tabIndex={-1}><Outlet /></main>
      </div>
      <AlertDrawer />
      <Palette onHelp={() => setHelp(true)} />
      <Help opened={help} onClose={() => setHelp(false)} />
    </div>
  );
}
