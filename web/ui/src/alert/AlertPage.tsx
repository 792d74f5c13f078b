import { useParams } from "@tanstack/react-router";
import { AlertDetail } from "./AlertDetail";
import classes from "./alert.module.css";

export function AlertPage() {
  const { id } = useParams({ from: "/alerts/$id" });
  return <div className={classes.page}><h1 className="hidden-text">Alert {id}</h1><AlertDetail id={id} /></div>;
}
