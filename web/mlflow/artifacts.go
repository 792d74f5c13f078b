package mlflow

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/fairlead/fairlead/base/access"
	"github.com/fairlead/fairlead/ml/artifact"
	"github.com/fairlead/fairlead/ml/experiment"
)

// Artifacts stand below this path, with names that a router would clean.
const (
	artifactPrefix = "mlflow-artifacts/"
	scheme         = "mlflow-artifacts:"
)

type pathKey struct{}

// KeepNames lets names of artifacts reach their handlers as they were sent: a router would redirect paths with double
// slashes or dots. It belongs around the mux.
func KeepNames(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent := r.URL.EscapedPath()
		for _, api := range []string{"/api/2.0/", "/ajax-api/2.0/"} {
			rest, found := strings.CutPrefix(sent, api+artifactPrefix)
			if !found {
				continue
			}
			call, name, found := cutCall(rest)
			if !found {
				break
			}
			r = r.WithContext(context.WithValue(r.Context(), pathKey{}, name))
			u := *r.URL
			u.Path, u.RawPath = api+artifactPrefix+call+"x", ""
			r.URL = &u
			break
		}
		next.ServeHTTP(w, r)
	})
}

// cutCall splits what stands behind the prefix of artifacts into the call and the name.
func cutCall(rest string) (call, name string, found bool) {
	for _, call := range []string{"artifacts/", "mpu/create/", "mpu/complete/", "mpu/abort/", "presigned/"} {
		if name, found := strings.CutPrefix(rest, call); found && name != "" {
			return call, name, true
		}
	}
	return "", "", false
}

// artifactName returns the name of a request's artifact, in its one form.
func artifactName(r *http.Request) (string, error) {
	sent, _ := r.Context().Value(pathKey{}).(string)
	name, err := url.PathUnescape(sent)
	if err != nil {
		return "", invalid("the path %q is not well encoded: %v", experiment.Cut(sent), err)
	}
	return artifact.Clean(name)
}

// relative redirects a request whose name begins with slashes to the one without, and reports whether it did.
func relative(w http.ResponseWriter, r *http.Request) bool {
	sent, _ := r.Context().Value(pathKey{}).(string)
	name, err := url.PathUnescape(sent)
	if err != nil || !strings.HasPrefix(name, "/") {
		return false
	}
	clean, err := artifact.Clean(strings.TrimLeft(name, "/"))
	if err != nil {
		return false
	}
	u := url.URL{Path: strings.TrimSuffix(r.URL.Path, "x") + clean}
	w.Header().Set("Location", u.EscapedPath())
	w.WriteHeader(http.StatusPermanentRedirect)
	return true
}

func (f *Face) artifactPatterns() []pattern {
	var list []pattern
	for _, api := range []string{"/api/2.0/", "/ajax-api/2.0/"} {
		p := api + artifactPrefix
		list = append(list,
			pattern{"GET", p + "artifacts", Read, http.HandlerFunc(f.listArtifacts)},
			pattern{"GET", p + "artifacts/{name}", Read, plainly(f.downloadArtifact)},
			pattern{"PUT", p + "artifacts/{name}", Write, plainly(f.uploadArtifact)},
			pattern{"DELETE", p + "artifacts/{name}", Write, plainly(f.deleteArtifact)},
			pattern{"POST", p + "mpu/create/{name}", Write, f.answering(f.noMultipart("num_parts"))},
			pattern{"POST", p + "mpu/complete/{name}", Write, f.answering(f.noMultipart("upload_id"))},
			pattern{"POST", p + "mpu/abort/{name}", Write, f.answering(f.noMultipart("upload_id"))},
			pattern{"GET", p + "presigned/{name}", Read, http.HandlerFunc(notImplemented)},
		)
	}
	return list
}

// plainly lets requests through whose name begins with no slash.
func plainly(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !relative(w, r) {
			next(w, r)
		}
	})
}

type fileAnswer struct {
	Path   string `json:"path"`
	Folder bool   `json:"is_dir"`
	Size   int64  `json:"file_size,omitempty"`
}

type filesAnswer struct {
	Root  string       `json:"root_uri,omitempty"`
	Files []fileAnswer `json:"files,omitempty"`
}

func (f *Face) listArtifacts(w http.ResponseWriter, r *http.Request) {
	folder := r.URL.Query().Get("path")
	err := f.filesAllowed(r, folder, access.MayRead)
	var files []artifact.File
	if err == nil {
		files, err = f.Files.List(r.Context(), folder)
	}
	if err != nil {
		f.refuse(w, r, err)
		return
	}
	var answer filesAnswer
	for _, file := range files {
		answer.Files = append(answer.Files, fileAnswer{file.Name(), file.Folder, file.Size})
	}
	write(w, http.StatusOK, answer)
}

// below answers with what is in a folder below a root.
func (f *Face) below(ctx context.Context, root, folder string) (any, error) {
	name, stored := strings.CutPrefix(root, scheme)
	if !stored {
		return filesAnswer{Root: root}, nil // kept elsewhere
	}
	name = strings.TrimPrefix(name, "/")
	clean, err := artifact.Clean(folder)
	if err != nil {
		return nil, err
	}
	files, err := f.Files.List(ctx, name+"/"+clean)
	if err != nil {
		return nil, err
	}
	answer := filesAnswer{Root: root}
	for _, file := range files {
		answer.Files = append(answer.Files, fileAnswer{path.Join(clean, file.Name()), file.Folder, file.Size})
	}
	return answer, nil
}

func (f *Face) listRunArtifacts(ctx context.Context, in *object) (any, error) {
	id, folder := in.runID(), in.text("path")
	if err := in.err(); err != nil {
		return nil, err
	}
	run, err := f.Experiments.Run(ctx, id)
	if err != nil {
		return nil, err
	}
	return f.below(ctx, run.Location, folder)
}

func (f *Face) listModelArtifacts(ctx context.Context, in *object) (any, error) {
	folder := in.text("artifact_directory_path")
	if err := in.err(); err != nil {
		return nil, err
	}
	m, err := f.Experiments.LoggedModel(ctx, in.path("model_id"))
	if err != nil {
		return nil, err
	}
	return f.below(ctx, m.Location, folder)
}

// asText are the endings of names that are sent as plain text, so that nothing is run by a browser.
var asText = []string{
	"", ".txt", ".log", ".err", ".cfg", ".conf", ".cnf", ".ini", ".properties", ".prop", ".hocon", ".toml", ".yaml", ".yml", ".xml", ".json", ".js", ".py", ".py3", ".csv", ".tsv", ".md", ".rst", ".mlmodel", ".mlproject", ".html", ".htm", ".svg", ".sql", ".ipynb",
}

// mediaType returns the type that a file is sent as.
func mediaType(name string) string {
	ending := strings.ToLower(path.Ext(name))
	if slices.Contains(asText, ending) {
		return "text/plain"
	}
	if known := mime.TypeByExtension(ending); known != "" {
		return known
	}
	return "application/octet-stream"
}

func (f *Face) downloadArtifact(w http.ResponseWriter, r *http.Request) {
	name, err := artifactName(r)
	if err != nil {
		f.refuse(w, r, unreadable(err))
		return
	}
	f.send(w, r, name)
}

// unreadable turns the refusal of a name that no file can have, but which leads nowhere else, into the answer that there
// is no such file.
func unreadable(err error) error {
	if errors.Is(err, artifact.ErrName) {
		return fmt.Errorf("%w: %w", artifact.ErrNotFound, err)
	}
	return err
}

// send answers with a file, or the range of it that was asked for.
func (f *Face) send(w http.ResponseWriter, r *http.Request, name string) {
	if err := f.filesAllowed(r, name, access.MayRead); err != nil {
		f.refuse(w, r, err)
		return
	}
	file, content, err := f.Files.Open(r.Context(), name)
	if err != nil {
		f.refuse(w, r, err)
		return
	}
	defer func() { _ = content.Close() }() // it was only read
	header := w.Header()
	header.Set("Content-Type", mediaType(file.Name()))
	header.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": file.Name()}))
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("ETag", `"`+file.Digest+`"`)
	http.ServeContent(w, r, "", time.UnixMilli(file.AddedAt), content)
}

func (f *Face) uploadArtifact(w http.ResponseWriter, r *http.Request) {
	name, err := artifactName(r)
	if err == nil {
		err = f.filesAllowed(r, name, access.MayEdit)
	}
	if err == nil {
		var room int64
		if room, err = f.Files.Room(r.Context(), name); err == nil && r.ContentLength > room {
			err = fmt.Errorf("%w: the file has %d bytes, and there is room for %d", artifact.ErrQuota, r.ContentLength, room)
		}
	}
	if err == nil {
		_, err = f.Files.Put(r.Context(), name, r.Body)
	}
	if err != nil {
		f.refuse(w, r, err)
		return
	}
	write(w, http.StatusOK, nil)
}

func (f *Face) deleteArtifact(w http.ResponseWriter, r *http.Request) {
	name, err := artifactName(r)
	if err == nil {
		err = f.filesAllowed(r, name, access.MayManage)
	}
	if err == nil {
		err = f.Files.Delete(r.Context(), name)
	}
	if err != nil {
		f.refuse(w, r, err)
		return
	}
	write(w, http.StatusOK, nil)
}

// getArtifact sends a file of a run.
func (f *Face) getArtifact(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	id := query.Get("run_id")
	if id == "" {
		id = query.Get("run_uuid")
	}
	if query.Get("path") == "" {
		f.refuse(w, r, invalid("path: it is missing; name a file of the run"))
		return
	}
	name, err := artifact.Clean(query.Get("path"))
	if err != nil {
		f.refuse(w, r, unreadable(err))
		return
	}
	if id == "" {
		f.refuse(w, r, experiment.Refuse(experiment.DoesNotExist, "run_id: it is missing; give the id of a run"))
		return
	}
	run, err := f.Experiments.Run(r.Context(), id)
	if err != nil {
		f.refuse(w, r, err)
		return
	}
	f.sendBelow(w, r, run.Location, name)
}

// getTraceArtifact sends the spans that a client before 3.0 has uploaded, or an attachment of a trace.
func (f *Face) getTraceArtifact(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	id, name := query.Get("request_id"), query.Get("path")
	if id == "" {
		id = query.Get("trace_id")
	}
	if name == "" {
		name = "traces.json"
	}
	info, err := f.Traces.Info(r.Context(), id)
	if err == nil {
		name, err = artifact.Clean(name)
		err = unreadable(err)
	}
	if err != nil {
		f.refuse(w, r, err)
		return
	}
	for _, tag := range info.Tags {
		if tag.Key == "mlflow.artifactLocation" {
			f.sendBelow(w, r, tag.Value, name)
			return
		}
	}
	f.refuse(w, r, experiment.Refuse(experiment.DoesNotExist, "the trace has no files"))
}

// sendBelow sends a file below a root.
func (f *Face) sendBelow(w http.ResponseWriter, r *http.Request, root, name string) {
	folder, stored := strings.CutPrefix(root, scheme)
	if !stored {
		f.refuse(w, r, experiment.Refuse(experiment.DoesNotExist, "the files are kept at %s, not here", experiment.Cut(root)))
		return
	}
	f.send(w, r, strings.TrimPrefix(folder, "/")+"/"+name)
}

var errNoMultipart = errors.New("uploads in several parts are not needed here: send the whole file with one PUT, which streams")

// noMultipart refuses an upload in several parts, which clients then do in one.
func (f *Face) noMultipart(needed string) handler {
	return func(_ context.Context, in *object) (any, error) {
		in.needed("path")
		if !in.has(needed) {
			in.fail("Missing value for required parameter '%s'", needed)
		}
		if err := in.err(); err != nil {
			return nil, err
		}
		return nil, errNoMultipart
	}
}

func notImplemented(w http.ResponseWriter, _ *http.Request) {
	fail(w, http.StatusNotImplemented, "NOT_IMPLEMENTED", errNoMultipart.Error())
}
