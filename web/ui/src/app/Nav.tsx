import { ActionIcon, Button, Menu, Tooltip, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import { spotlight } from "@mantine/spotlight";
import { IconDots, IconMoon, IconQuestionMark, IconSearch, IconSun } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useLocation } from "@tanstack/react-router";
import { statsQuery } from "../api/queries";
import { isWhole, meQuery } from "../api/session";
import { waitingQuery } from "../approval/query";
import { formatCount } from "../kit/numbers";
import { setZone, useZone } from "../kit/settings";
import { Account } from "../login/Account";
import { ConnectionMark } from "./Connection";
import { Mentions } from "./Mentions";
import { placesFor, type PlaceAddress } from "./places";
import classes from "./Shell.module.css";

function SchemeSwitch() {
  const { setColorScheme } = useMantineColorScheme();
  const dark = useComputedColorScheme("light") === "dark";
  const label = dark ? "Use light colours" : "Use dark colours";
  return (
    <Tooltip label={label}>
      <ActionIcon variant="subtle" color="gray" size={30} aria-label={label} onClick={() => setColorScheme(dark ? "light" : "dark")}>
        {dark ? <IconSun size={16} /> : <IconMoon size={16} />}
      </ActionIcon>
    </Tooltip>
  );
}

function ZoneSwitch() {
  const zone = useZone();
  return (
    <Tooltip label={zone === "utc" ? "Times in UTC; switch to this computer's zone" : "Times in this computer's zone; switch to UTC"}>
      <Button variant="subtle" color="gray" size="compact-xs" h={30} onClick={() => setZone(zone === "utc" ? "local" : "utc")} aria-label={`Times in ${zone === "utc" ? "UTC" : "local zone"}, switch`}>
        {zone === "utc" ? "UTC" : "Local"}
      </Button>
    </Tooltip>
  );
}

/** The pages that a phone's menu has no room for. */
function More() {
  const { data: me } = useQuery(meQuery);
  return (
    <Menu position="bottom-start" shadow="md">
      <Menu.Target><ActionIcon className={classes.more} variant="subtle" color="gray" size={40} aria-label="More pages"><IconDots size={17} /></ActionIcon></Menu.Target>
      <Menu.Dropdown>
        {placesFor(me).filter((p) => !p.phone).map(({ to, word, icon: Icon }) => (
          <Menu.Item key={to} leftSection={<Icon size={16} stroke={1.7} aria-hidden />} renderRoot={(props) => <Link to={to} search={{}} {...props} />}>{word}</Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

export function Nav({ onHelp }: { onHelp: () => void }) {
  const { data } = useQuery(statsQuery);
  const { data: me } = useQuery(meQuery);
  const { data: waiting } = useQuery({ ...waitingQuery, enabled: isWhole(me) });
  const { pathname } = useLocation();
  const counts: Partial<Record<PlaceAddress, number | undefined>> = { "/": data && data.incidents.open + data.incidents.acknowledged, "/alerts": data?.alerts.firing, "/dead-letters": data?.deadLetters, "/approvals": waiting?.items.filter((a) => a.mayDecide).length };
  return (
    <nav className={classes.nav} aria-label="Main">
      <Link to="/" search={{}} className={classes.brand} aria-label="Fairlead, to the incidents"><img src="/favicon.svg" width={20} height={20} alt="" /><span>Fairlead</span></Link>
      {placesFor(me).map(({ to, word, icon: Icon, phone, first, things }) => (
        <Link key={to} to={to} search={{}} className={classes.item} data-wide={!phone || undefined} data-first={first} data-within={things?.some((t) => pathname.startsWith(t)) === true || undefined} activeOptions={{ exact: to === "/" , includeSearch: false }} title={word}>
          <Icon size={17} stroke={1.7} aria-hidden /><span className={classes.word}>{word}</span>
          {counts[to] ? <span className={classes.count}>{formatCount(counts[to])}</span> : null}
        </Link>
      ))}
      <More />
      <div className={classes.foot}>
        <ConnectionMark />
        <div className={classes.tools}>
          <SchemeSwitch />
          <Tooltip label="Commands (⌘K or Ctrl K)"><ActionIcon variant="subtle" color="gray" size={30} aria-label="Commands" onClick={spotlight.open}><IconSearch size={16} /></ActionIcon></Tooltip>
          <Tooltip label="Keyboard (?)"><ActionIcon className={classes.wide} variant="subtle" color="gray" size={30} aria-label="Keyboard help" onClick={onHelp}><IconQuestionMark size={16} /></ActionIcon></Tooltip>
          <ZoneSwitch />
          {me && me.via !== "dev" && <Mentions />}
          <Account />
        </div>
      </div>
    </nav>
  );
}
