import { Button } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { formatBytes } from "../kit/bytes";
import { pretty } from "../kit/json";
import { formatCount } from "../kit/numbers";
import { Empty, Failure, Loading } from "../kit/States";
import classes from "./experiment.module.css";
import { readContent, readSignature } from "./files";
import { fileAddress, filesQuery, type Keeper } from "./query";

const base = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

/** A look at one file. */
export function FilePreview({ of, path }: { of: Keeper; path: string }) {
  const folder = path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : "";
  const { data: list } = useQuery(filesQuery({ ...of, live: false }, folder));
  const item = list?.items.find((i) => i.path === path);
  const { data, error, isPending, refetch } = useQuery({ queryKey: [of.kind, of.id, "file", path, item?.digest], queryFn: ({ signal }) => (item ? readContent(of, item, signal) : null), enabled: item !== undefined, staleTime: Infinity, gcTime: 60_000, retry: false });
  if (list && !item) return <Empty title="This file is gone">There is no {path} any more.</Empty>;
  return (
    <section aria-label={path} style={{ minWidth: 0 }}>
      <div className={classes.tools}>
        <span className="mono">{path}</span>
        {item && <Button component="a" href={fileAddress(of, path)} download={base(path)} size="compact-xs" variant="default" leftSection={<IconDownload size={13} aria-hidden />}>Download {formatBytes(item.size)}</Button>}
        {item?.digest && <span className="dim mono" title={`SHA-256 ${item.digest}`}>sha256 {item.digest.slice(0, 12)}…</span>}
      </div>
      {isPending && <Loading rows={6} label="Loading the file" />}
      {error && <Failure error={error} retry={() => void refetch()} />}
      {data?.kind === "image" && <img className={classes.picture} src={data.url} alt={path} />}
      {data?.kind === "none" && <p className="dim">{data.why}</p>}
      {data?.kind === "text" && base(path) === "MLmodel" && <Signature text={data.text} />}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- the area scrolls, and the keyboard must reach that */}
      {data?.kind === "text" && <pre className={classes.preview} tabIndex={0}>{path.endsWith(".json") && !data.cut ? pretty(data.text) : data.text}</pre>}
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
