import { ActionIcon, Menu } from "@mantine/core";
import { IconLogout, IconSettings, IconUser } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { client } from "../api/client";
import { meQuery } from "../api/session";

const logOut = (): void => {
  void client.POST("/api/fairlead/v1/logout").then(() => window.location.replace("/"));
};

/** Who is logged in, in the menu. */
export function Account() {
  const { data: me } = useQuery(meQuery);
  if (!me) return null;
  const dev = me.via === "dev";
  const words = dev ? "Development: whoever is on this machine is admin" : `${me.display || me.user}: ${me.roles.join(", ")}`;
  return (
    <Menu position="top-start" shadow="md">
      <Menu.Target><ActionIcon variant="subtle" color="gray" size={30} aria-label={`Account: ${words}`} title={words}><IconUser size={16} /></ActionIcon></Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{words}</Menu.Label>
        <Menu.Item leftSection={<IconSettings size={16} aria-hidden />} renderRoot={(props) => <Link to="/account" search={{}} {...props} />}>Account</Menu.Item>
        {!dev && <Menu.Item leftSection={<IconLogout size={16} aria-hidden />} onClick={logOut}>Log out</Menu.Item>}
      </Menu.Dropdown>
    </Menu>
  );
}
