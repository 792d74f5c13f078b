package sim

// Graph is a map in the form of edges.json: who calls whom.
type Graph struct {
	// Level is what the nodes are: service or instance.
	Level string `json:"level"`
	// Directed says that From calls To.
	Directed bool `json:"directed"`
	// Nodes are the names, Edges the calls between them.
	Nodes []string `json:"nodes"`
	Edges []Edge   `json:"edges"`
}

// Edge says that one node calls another.
type Edge struct {
	From string `json:"from"`
	To   string `json:"to"`
	// Share is how surely the edge exists, from 0 to 1.
	Share float64 `json:"share"`
}

// Graph returns the map of the shop's services, whose names are those of the label service.
func (s *Shop) Graph() Graph {
	g := Graph{Level: "service", Directed: true}
	for _, b := range blueprints() {
		g.Nodes = append(g.Nodes, b.name)
		producer := false
		for _, c := range b.calls {
			g.Edges = append(g.Edges, Edge{From: b.name, To: c.to, Share: 1})
			producer = producer || c.to == "kafka"
		}
		if b.topic != "" && !producer {
			g.Edges = append(g.Edges, Edge{From: b.name, To: "kafka", Share: 1})
		}
	}
	return g
}

// InstanceGraph returns the map of the pods with which the shop starts, whose names are those of the label pod. Every
// pod may call every pod of a service that its own calls. Later releases replace pods, which the map cannot know.
func (s *Shop) InstanceGraph() Graph {
	g := Graph{Level: "instance", Directed: true}
	w := newWorld(s.plan.seed, s.plan.scale, s.plan.fault)
	for _, from := range w.services {
		for _, p := range from.pods {
			g.Nodes = append(g.Nodes, p.name)
			for _, to := range from.up {
				for _, other := range to.pods {
					g.Edges = append(g.Edges, Edge{From: p.name, To: other.name, Share: 1 / float64(len(to.pods))})
				}
			}
		}
	}
	return g
}
