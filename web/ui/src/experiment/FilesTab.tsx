import { UnstyledButton } from "@mantine/core";
import { IconFile, IconFolder, IconFolderOpen } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { formatBytes } from "../kit/bytes";
import { Empty, Failure, Loading } from "../kit/States";
import classes from "./experiment.module.css";
import { FilePreview } from "./FilePreview";
import { filesQuery, isLive, loggedModelQuery, type Keeper, type Run, type RunFile } from "./query";

const modelPlace = (id: string): string => `models:/${id}/`;

/** What a run and the models that it made have kept, and a look at one of the files. */
export function FilesTab({ run }: { run: Run }) {
  const { file } = useSearch({ from: "__root__" });
  const own: Keeper = { kind: "run", id: run.id, location: run.location, live: isLive(run) };
  const { data, error, isPending, refetch } = useQuery(filesQuery(own, ""));
  const inModel = run.modelsMade.find((id) => file?.startsWith(modelPlace(id)));
  if (isPending) return <Loading rows={4} label="Loading files" />;
  if (!data) return <Failure error={error} retry={() => void refetch()} />;
  if (data.items.length === 0 && run.modelsMade.length === 0) return <Empty title="No files">Those that a client logs, such as plots and models, stand here. This run keeps them at <span className="mono">{run.location}</span>.</Empty>;
  return (
    <div className={classes.split}>
      <div>
        <Folder of={own} items={data.items} file={file} place="" />
        {run.modelsMade.map((id) => <ModelFolder key={id} id={id} file={file} live={own.live} />)}
      </div>
      {!file ? <p className="dim">Choose a file to look at it.</p> : inModel ? <ModelPreview key={file} id={inModel} path={file.slice(modelPlace(inModel).length)} live={own.live} /> : <FilePreview key={file} of={own} path={file} />}
    </div>
  );
}

const base = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

interface Place { of: Keeper; /** What stands before the paths in the address of this page. */ place: string; file: string | undefined }

/** The files of a logged model, which clients of version 3 keep apart from the run. */
function ModelFolder({ id, file, live }: { id: string; file: string | undefined; live: boolean }) {
  const { data: model, error } = useQuery(loggedModelQuery(id));
  const of: Keeper | undefined = model && { kind: "model", id, location: model.location, live };
  if (error) return <p className="dim">The logged model {id} cannot be read: {error.message}</p>;
  return <ul className={classes.tree}><li>{of && model && <Sub of={of} place={modelPlace(id)} file={file} path="" name={`model ${model.name}`} title={`logged model ${id}`} />}</li></ul>;
}

function ModelPreview({ id, path, live }: { id: string; path: string; live: boolean }) {
  const { data: model } = useQuery(loggedModelQuery(id));
  return model ? <FilePreview of={{ kind: "model", id, location: model.location, live }} path={path} /> : <Loading rows={4} label="Loading the file" />;
}

function Folder({ items, ...at }: Place & { items: readonly RunFile[] }) {
  return <ul className={classes.tree}>{items.map((item) => <li key={item.path}>{item.folder ? <Sub {...at} path={item.path} name={base(item.path)} /> : <One item={item} {...at} />}</li>)}</ul>;
}

function Sub({ path, name, title, ...at }: Place & { path: string; name: string; title?: string }) {
  const [open, setOpen] = useState(at.file?.startsWith(`${at.place}${path}${path && "/"}`) === true);
  const { data } = useQuery({ ...filesQuery(at.of, path), enabled: open });
  const Icon = open ? IconFolderOpen : IconFolder;
  return (
    <>
      <UnstyledButton className={classes.file} aria-expanded={open} onClick={() => setOpen(!open)} title={title}><Icon size={15} aria-hidden />{name}</UnstyledButton>
      {open && data && (data.items.length > 0 ? <Folder {...at} items={data.items} /> : <p className="dim">No files here.</p>)}
    </>
  );
}

function One({ item, place, file }: Place & { item: RunFile }) {
  const navigate = useNavigate();
  const address = place + item.path;
  const on = address === file;
  return <UnstyledButton className={classes.file} data-on={on || undefined} aria-current={on || undefined} onClick={() => void navigate({ to: ".", replace: true, search: (old) => ({ ...old, file: address }) })}><IconFile size={15} aria-hidden />{base(item.path)} <span className="dim">{formatBytes(item.size)}</span></UnstyledButton>;
}
