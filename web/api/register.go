package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/fairlead/fairlead/base/access"
	"github.com/fairlead/fairlead/ml/artifact"
	"github.com/fairlead/fairlead/ml/experiment"
	"github.com/fairlead/fairlead/ml/model"
)

type registerVersion struct {
	Name string `path:"name" maxLength:"256" doc:"The registered model; it is made if there is none."`
	Body struct {
		Run         string `json:"run,omitempty" maxLength:"100" doc:"The run that made it, with path."`
		Path        string `json:"path,omitempty" maxLength:"4096" doc:"The folder of its files, below those of the run." example:"model"`
		Logged      string `json:"logged,omitempty" maxLength:"100" doc:"Or a logged model, alone."`
		Description string `json:"description,omitempty" maxLength:"5000"`
	}
}

func (a *API) registerRoutes() {
	route(a, http.MethodPost, "/models/{name}/versions", "registerModelVersion", "Register files of a run, or a logged model, as the next version of a model", a.registerVersion)
}

func (a *API) registerVersion(ctx context.Context, in *registerVersion) (*body[ModelVersion], error) {
	n := model.NewVersion{Model: in.Name, Run: in.Body.Run, Description: in.Body.Description}
	if err := a.findSource(ctx, &n, in); err != nil {
		return nil, err
	}
	if err := a.mayEditModel(ctx, in.Name); err != nil {
		return nil, err
	}
	_, err := a.cfg.Models.Model(ctx, in.Name)
	if experiment.CodeOf(err) == experiment.DoesNotExist {
		if _, err = a.cfg.Models.Create(ctx, in.Name, "", nil); err == nil {
			err = a.cfg.People.Own(ctx, who(ctx), access.Thing{Kind: "model", Object: in.Name})
		}
	}
	if err != nil {
		return nil, learningError(err)
	}
	v, err := a.cfg.Models.CreateVersion(ctx, n)
	if err != nil {
		return nil, learningError(err)
	}
	return answer(toVersion(&v)), a.audit(ctx, a.cfg.Clock.Now(), "model.register", in.Name+" version "+strconv.FormatInt(v.Number, 10))
}

// findSource finds what shall be registered and fills it in.
func (a *API) findSource(ctx context.Context, n *model.NewVersion, in *registerVersion) error {
	switch {
	case in.Body.Run != "" && in.Body.Logged != "":
		return invalid("body.logged", in.Body.Logged, "give a run with a path, or a logged model, not both")
	case in.Body.Logged != "":
		m, err := a.findLoggedModel(ctx, in.Body.Logged)
		if err != nil {
			return err
		}
		n.Source, n.Run = "models:/"+m.ID, m.Run
		return nil
	case in.Body.Run == "":
		return invalid("body.run", "", "give the run whose files to register, or a logged model")
	}
	r, err := a.findRun(ctx, in.Body.Run)
	if err != nil {
		return err
	}
	folder, err := artifact.Clean(in.Body.Path)
	if err != nil {
		return invalid("body.path", in.Body.Path, err.Error())
	}
	files, err := a.filesBelow(ctx, r.Location, folder)
	if err != nil {
		return err
	}
	if folder == "" || len(files.Body.Items) == 0 {
		return invalid("body.path", in.Body.Path, "name a folder of the run that holds files")
	}
	n.Source = strings.TrimSuffix(r.Location, "/") + "/" + folder
	return nil
}

// mayEditModel refuses a model that may be read but not changed. One that does not exist may be made.
func (a *API) mayEditModel(ctx context.Context, name string) error {
	level, err := a.cfg.People.LevelOn(ctx, who(ctx), access.Thing{Kind: "model", Object: name})
	if err != nil || level.Allows(access.MayEdit) {
		return err
	}
	if _, err := a.cfg.Models.Model(ctx, name); experiment.CodeOf(err) == experiment.DoesNotExist {
		return nil
	}
	return filled(&Problem{Status: http.StatusForbidden, Detail: "You may not add versions to this model: ask who manages it."})
}
