package sim

// call says that a service asks another one while it answers a request.
type call struct {
	to string
	// times is how many calls a request makes on average.
	times float64
	// critical is the share of requests that fail when the call fails: 1 without a fallback, near 0 with one.
	critical float64
}

// blueprint is what a service of the shop is like before anything runs.
type blueprint struct {
	name, team string
	// store is set for databases, caches and brokers, which are called but have no code of the shop.
	store bool
	// jvm services collect garbage hard before they run out of memory.
	jvm      bool
	replicas int
	// latency is the own part of the 99th percentile when idle, in seconds; load the share of the processor in normal times.
	latency, load float64
	calls         []call
	routes        []string
	// topic is what the service consumes from kafka, in the consumer group of its own name.
	topic string
}

// blueprints lists the shop, callees before their callers.
func blueprints() []blueprint {
	return []blueprint{
		{name: "postgres", team: "platform", store: true, replicas: 2, latency: .004, load: .45},
		{name: "redis", team: "platform", store: true, replicas: 3, latency: .001, load: .3},
		{name: "kafka", team: "platform", store: true, replicas: 3, latency: .005, load: .3},
		{
			name: "currency", team: "checkout", replicas: 3, latency: .008, load: .4,
			calls: []call{{"redis", 1, .6}}, routes: []string{"/rates", "/convert"},
		},
		{
			name: "user", team: "identity", jvm: true, replicas: 4, latency: .020, load: .45,
			calls: []call{{"postgres", 1, 1}, {"redis", 1, .3}}, routes: []string{"/login", "/profile", "/addresses"},
		},
		{
			name: "catalogue", team: "discovery", replicas: 5, latency: .015, load: .5,
			calls:  []call{{"postgres", 1, 1}, {"redis", 2, .2}},
			routes: []string{"/products", "/products/{id}", "/categories"},
		},
		{
			name: "cart", team: "checkout", replicas: 4, latency: .010, load: .4,
			calls:  []call{{"redis", 2, 1}, {"catalogue", .8, .7}},
			routes: []string{"/cart", "/cart/items", "/cart/merge"},
		},
		{
			name: "inventory", team: "fulfilment", jvm: true, replicas: 4, latency: .018, load: .4, topic: "stock.events",
			calls: []call{{"postgres", 2, 1}, {"kafka", .3, .5}}, routes: []string{"/stock/{sku}", "/reservations"},
		},
		{
			name: "shipping", team: "fulfilment", replicas: 3, latency: .025, load: .35, topic: "orders.created",
			calls: []call{{"postgres", 1, 1}, {"currency", .5, .6}}, routes: []string{"/quotes", "/labels", "/tracking"},
		},
		{
			name: "payment", team: "payments", jvm: true, replicas: 4, latency: .080, load: .4,
			calls:  []call{{"postgres", 2, 1}, {"currency", .3, .5}},
			routes: []string{"/authorize", "/capture", "/refund"},
		},
		{
			name: "orders", team: "fulfilment", jvm: true, replicas: 4, latency: .030, load: .45,
			calls:  []call{{"postgres", 2, 1}, {"kafka", 1, .8}, {"user", .3, .3}},
			routes: []string{"/orders", "/orders/{id}", "/orders/history"},
		},
		{
			name: "email", team: "growth", replicas: 2, latency: .050, load: .3, topic: "orders.created",
			calls: []call{{"user", 1, .8}, {"kafka", .2, .2}}, routes: []string{"/send"},
		},
		{
			name: "search", team: "discovery", jvm: true, replicas: 4, latency: .060, load: .5, topic: "catalogue.changes",
			calls: []call{{"catalogue", 1.5, .8}, {"redis", .5, .1}}, routes: []string{"/search", "/suggest"},
		},
		{
			name: "recommendations", team: "discovery", replicas: 3, latency: .040, load: .45, topic: "product.views",
			calls:  []call{{"catalogue", 1, .7}, {"redis", .5, .2}, {"user", .3, .3}},
			routes: []string{"/recommend", "/also-bought"},
		},
		{
			name: "checkout", team: "checkout", replicas: 4, latency: .030, load: .4,
			calls: []call{
				{"cart", 1, 1},
				{"user", 1, .9},
				{"inventory", 1, .9},
				{"currency", 1, .8},
				{"shipping", 1, .9},
				{"payment", 1, 1},
				{"orders", 1, 1},
			},
			routes: []string{"/checkout", "/checkout/address", "/checkout/stock", "/checkout/total", "/checkout/delivery", "/checkout/pay", "/checkout/confirm"},
		},
		{
			name: "frontend", team: "web", replicas: 6, latency: .030, load: .45,
			calls: []call{
				{"catalogue", 2, .7},
				{"user", .6, .5},
				{"cart", .5, .6},
				{"currency", 1, .5},
				{"search", .4, .8},
				{"recommendations", .7, .25},
				{"checkout", .2, 1},
			},
			routes: []string{"/", "/account", "/cart", "/product/{id}", "/search", "/home", "/checkout"},
		},
	}
}

// roots are the services that may get the bad deploy: those that others wait for. Nobody waits for email, and what
// breaks in frontend shows in frontend alone.
func roots() []string {
	return []string{
		"catalogue", "cart", "checkout", "currency", "inventory", "orders", "payment", "recommendations", "search", "shipping", "user",
	}
}
