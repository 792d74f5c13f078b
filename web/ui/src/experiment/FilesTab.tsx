import { Button, UnstyledButton } from "@mantine/core";
import { IconDownload, IconFile, IconFolder, IconFolderOpen } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { formatBytes } from "../kit/bytes";
import { formatCount } from "../kit/numbers";
import { Empty, Failure, Loading } from "../kit/States";
import classes from "./experiment.module.css";
import { readContent, readSignature } from "./files";
import { fileAddress, filesQuery, isLive, type Run, type RunFile } from "./query";

/** What a run has kept, and a look at one of its files. */
export function FilesTab({ run }: { run: Run }) {
  const { file } = useSearch({ from: "__root__" });
  const { data, error, isPending, refetch } = useQuery(filesQuery(run.id, "", isLive(run)));
  if (isPending) return <Loading rows={4} label="Loading files" />;
  if (!data) return <Failure error={error} retry={() => void refetch()} />;
  if (data.items.length === 0) return <Empty title="No files">Those that a client logs, such as plots and models, stand here. This run keeps them at <span className="mono">{run.location}</span>.</Empty>;
  return (
    <div className={classes.split}>
      <Folder run={run} items={data.items} file={file} />
      {file ? <Preview key={file} run={run} path={file} /> : <p className="dim">Choose a file to look at it.</p>}
    </div>
  );
}

const base = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

function Folder({ run, items, file }: { run: Run; items: readonly RunFile[]; file: string | undefined }) {
  return <ul className={classes.tree}>{items.map((item) => <li key={item.path}>{item.folder ? <Sub run={run} path={item.path} file={file} /> : <One item={item} on={item.path === file} />}</li>)}</ul>;
}

function Sub({ run, path, file }: { run: Run; path: string; file: string | undefined }) {
  const [open, setOpen] = useState(file?.startsWith(`${path}/`) ?? false);
  const { data } = useQuery({ ...filesQuery(run.id, path, isLive(run)), enabled: open });
  const Icon = open ? IconFolderOpen : IconFolder;
  return (
    <>
      <UnstyledButton className={classes.file} aria-expanded={open} onClick={() => setOpen(!open)}><Icon size={15} aria-hidden />{base(path)}</UnstyledButton>
      {open && data && <Folder run={run} items={data.items} file={file} />}
    </>
  );
}

function One({ item, on }: { item: RunFile; on: boolean }) {
  const navigate = useNavigate();
  return <UnstyledButton className={classes.file} data-on={on || undefined} aria-current={on || undefined} onClick={() => void navigate({ to: ".", replace: true, search: (old) => ({ ...old, file: item.path }) })}><IconFile size={15} aria-hidden />{base(item.path)} <span className="dim">{formatBytes(item.size)}</span></UnstyledButton>;
}

function Preview({ run, path }: { run: Run; path: string }) {
  const folder = path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : "";
  const { data: list } = useQuery(filesQuery(run.id, folder, false));
  const item = list?.items.find((i) => i.path === path);
  const { data, error, isPending, refetch } = useQuery({ queryKey: ["run", run.id, "file", path, item?.digest], queryFn: ({ signal }) => (item ? readContent(run.id, item, signal) : null), enabled: item !== undefined, staleTime: Infinity, gcTime: 60_000, retry: false });
  if (list && !item) return <Empty title="This file is gone">The run has no {path}.</Empty>;
  return (
    <section aria-label={path} style={{ minWidth: 0 }}>
      <div className={classes.tools}>
        <span className="mono">{path}</span>
        {item && <Button component="a" href={fileAddress(run.id, path)} download={base(path)} size="compact-xs" variant="default" leftSection={<IconDownload size={13} aria-hidden />}>Download {formatBytes(item.size)}</Button>}
        {item?.digest && <span className="dim mono" title={`SHA-256 ${item.digest}`}>sha256 {item.digest.slice(0, 12)}…</span>}
      </div>
      {isPending && <Loading rows={6} label="Loading the file" />}
      {error && <Failure error={error} retry={() => void refetch()} />}
      {data?.kind === "image" && <img className={classes.picture} src={data.url} alt={path} />}
      {data?.kind === "none" && <p className="dim">{data.why}</p>}
      {data?.kind === "text" && base(path) === "MLmodel" && <Signature text={data.text} />}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- the area scrolls, and the keyboard must reach that */}
      {data?.kind === "text" && <pre className={classes.preview} tabIndex={0}>{pretty(path, data.text, data.cut)}</pre>}
      {data?.kind === "text" && data.cut && <p className="dim">The first 256 KB. Download it for the rest.</p>}
      {data?.kind === "table" && (
        <div className={classes.across}>
          <table className={classes.facts}>
            <thead><tr>{data.columns.map((c, i) => <th key={i} scope="col">{c}</th>)}</tr></thead>
            <tbody>{data.rows.map((row, i) => <tr key={i}>{row.map((v, j) => <td key={j} title={v}>{v}</td>)}</tr>)}</tbody>
          </table>
          {data.total !== data.rows.length && <p className="dim">The first {formatCount(data.rows.length)} rows{data.total !== undefined && ` of ${formatCount(data.total)}`}.</p>}
        </div>
      )}
    </section>
  );
}

function pretty(path: string, text: string, cut: boolean): string {
  if (cut || !path.endsWith(".json")) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text; // it is not JSON: it is shown as it is
  }
}

/** What a model takes and gives. */
function Signature({ text }: { text: string }) {
  const { data, error } = useQuery({ queryKey: ["signature", text], queryFn: () => readSignature(text), retry: false, gcTime: 60_000 });
  if (error) return <p className="dim">The signature cannot be read: {error.message}</p>;
  if (!data || data.length === 0) return data ? <p className="dim">This model has no signature.</p> : null;
  return (
    <table className={classes.facts} style={{ marginBottom: 16 }}>
      <caption className="hidden-text">Signature of the model</caption>
      <thead><tr><th scope="col">Signature</th><th scope="col">Name</th><th scope="col">Type</th><th scope="col">Required</th></tr></thead>
      <tbody>{data.map((f) => <tr key={f.part + f.name}><td className="dim">{f.part}</td><th scope="row">{f.name}</th><td className="mono">{f.type}</td><td>{f.required ? "yes" : "no"}</td></tr>)}</tbody>
    </table>
  );
}
