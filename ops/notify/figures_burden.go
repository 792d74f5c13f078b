package notify

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// burdens collects who was called and who acted.
type burdens struct {
	receivers, people map[string]*burden
}

type burden struct {
	Burden
	nights map[time.Time]int
}

func newBurdens() *burdens {
	return &burdens{receivers: map[string]*burden{}, people: map[string]*burden{}}
}

func of(list map[string]*burden, name string) *burden {
	b := list[name]
	if b == nil {
		b = &burden{Burden: Burden{Name: name}, nights: map[time.Time]int{}}
		list[name] = b
	}
	return b
}

// page counts a page for a receiver and for those behind it; night is zero by day.
func (b *burdens) page(q *FigureQuery, receiver string, night time.Time) {
	to := of(b.receivers, receiver)
	to.page(night)
	if q.People == nil {
		return
	}
	if to.People == nil {
		to.People = q.People(receiver)
	}
	for _, person := range to.People {
		of(b.people, person).page(night)
	}
}

func (b *burden) page(night time.Time) {
	b.Pages++
	if !night.IsZero() {
		b.NightPages++
		b.nights[night]++
	}
}

// act counts what a person did.
func (b *burdens) act(a *act, night bool) {
	who := of(b.people, a.actor)
	who.Acts++
	if night {
		who.NightActs++
	}
	if a.first {
		who.Acknowledged++
	}
}

func (b *burdens) sorted() (receivers, people []Burden) {
	return sortBurdens(b.receivers), sortBurdens(b.people)
}

func sortBurdens(list map[string]*burden) []Burden {
	sorted := make([]Burden, 0, len(list))
	for _, b := range list {
		b.Nights = len(b.nights)
		for _, night := range slices.SortedFunc(maps.Keys(b.nights), time.Time.Compare) {
			if b.nights[night] > b.Worst {
				b.Worst, b.WorstOn = b.nights[night], night
			}
		}
		sorted = append(sorted, b.Burden)
	}
	slices.SortFunc(sorted, func(a, b Burden) int {
		return cmp.Or(cmp.Compare(b.Pages, a.Pages), cmp.Compare(b.Acts, a.Acts), cmp.Compare(a.Name, b.Name))
	})
	return sorted
}

// starts returns when the periods begin that cover the time; the first may be cut short.
func (q *FigureQuery) starts() []time.Time {
	starts := []time.Time{q.From}
	local := q.From.In(q.Zone)
	next := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, q.Zone)
	step := func(t time.Time, days, months int) time.Time {
		return time.Date(t.Year(), t.Month()+time.Month(months), t.Day()+days, 0, 0, 0, 0, q.Zone) // 0:00 whatever the clocks do
	}
	days, months := 1, 0
	switch q.Period {
	case Day:
	case Week:
		next, days = step(next, -(int(next.Weekday())+6)%7, 0), 7
	case Month:
		next, days, months = step(next, 1-next.Day(), 0), 0, 1
	}
	for {
		if next = step(next, days, months); !next.Before(q.To) {
			return starts
		}
		if next.After(q.From) {
			starts = append(starts, next)
		}
	}
}

// night returns 0:00 of the day on which the night began that a time is in; zero when it is in none.
func (c *counter) night(at time.Time) time.Time {
	local := at.In(c.q.Zone)
	from, to, hour := c.q.NightFrom, c.q.NightTo, local.Hour()
	day := local.Day()
	switch {
	case from < to && (hour < from || hour >= to):
		return time.Time{}
	case from >= to && hour < to:
		day-- // it began yesterday
	case from >= to && hour < from:
		return time.Time{}
	}
	return time.Date(local.Year(), local.Month(), day, 0, 0, 0, 0, c.q.Zone)
}

// Nights returns how many nights begin, at the hour from of each day in zone, between start and end.
func Nights(start, end time.Time, zone *time.Location, from int) (n int) {
	local := start.In(zone)
	for day := local.Day(); ; day++ {
		begins := time.Date(local.Year(), local.Month(), day, from, 0, 0, 0, zone)
		if !begins.Before(end) {
			return n
		}
		if !begins.Before(start) {
			n++
		}
	}
}

func spread(list []time.Duration) Spread {
	if len(list) == 0 {
		return Spread{}
	}
	slices.Sort(list)
	var sum time.Duration
	for _, d := range list {
		sum += d
	}
	n := len(list)
	return Spread{N: n, Mean: sum / time.Duration(n), Median: (list[(n-1)/2] + list[n/2]) / 2, P90: list[(9*n+9)/10-1]}
}
