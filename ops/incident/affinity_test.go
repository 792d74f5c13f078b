package incident

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead/fairlead/base/signal"
)

func TestABurstLearnsItsSizeAndPace(t *testing.T) {
	p := newPace(DefaultGroupingConfig())
	random := rand.New(rand.NewPCG(3, 4))
	for _, c := range []struct{ size, tau float64 }{{30, 45}, {100, 90}, {400, 180}} {
		var b burst
		for range int(c.size) {
			if age := random.ExpFloat64() * c.tau; age < 300 {
				b.add(age, 1)
			}
		}
		post := p.look(b, 300)
		if got, want := p.rateAt(&post, 300), c.size/c.tau*math.Exp(-300/c.tau); got < want/4 || got > want*4+0.02 {
			t.Errorf("size %v, decay time %v: got a rate of %v after 300 s, want about %v", c.size, c.tau, got, want)
		}
		if got, want := p.between(&post, 0, 300), c.size*(1-math.Exp(-300/c.tau)); math.Abs(got-want) > 0.25*want {
			t.Errorf("size %v, decay time %v: got %v alerts in 300 s, want about %v", c.size, c.tau, got, want)
		}
	}
}

func TestTheRateIsTheDerivativeOfTheCount(t *testing.T) {
	p := newPace(DefaultGroupingConfig())
	for _, b := range []burst{{}, {n: 1, s: 3}, {n: 50, s: 4000}, {n: 3, s: 10, grave: true}} {
		post := p.look(b, 120)
		for age := 0.0; age < 1000; age += 37 {
			const h = 0.01
			slope := p.between(&post, age, age+h) / h
			if got := p.rateAt(&post, age+h/2); math.Abs(got-slope) > 1e-6*(1+got) {
				t.Errorf("%+v at %v: got rate %v, want %v", b, age, got, slope)
			}
		}
	}
}

func TestAlertsTakenOutAgainLeaveTheBurstAsItWas(t *testing.T) {
	p := newPace(DefaultGroupingConfig())
	b := burst{n: 10, s: 300}
	want := p.look(b, 100)
	for _, age := range []float64{1, 50, 99.5} {
		b.add(age, 1)
	}
	for _, age := range []float64{50, 99.5, 1} {
		b.add(age, -1)
	}
	got := p.look(b, 100)
	if math.Abs(p.rateAt(&got, 100)-p.rateAt(&want, 100)) > 1e-9 {
		t.Errorf("got %v, want %v", p.rateAt(&got, 100), p.rateAt(&want, 100))
	}
}

func TestALoneAlertIsSoonNoBurst(t *testing.T) {
	p := newPace(DefaultGroupingConfig())
	last := math.Inf(1)
	for _, age := range []float64{1, 10, 60, 300} {
		post := p.look(burst{}, age)
		if post.sure >= last {
			t.Errorf("after %v s alone: got probability %v, want less than %v", age, post.sure, last)
		}
		last = post.sure
	}
	if last > 0.01 {
		t.Errorf("after 300 s alone: got probability %v, want under 0.01", last)
	}
	post, grave := p.look(burst{}, 20), p.look(burst{grave: true}, 20)
	if grave.sure <= post.sure {
		t.Errorf("got %v for a critical alert, want more than %v", grave.sure, post.sure)
	}
}

func TestRareTraitsWeighMoreThanCommonOnes(t *testing.T) {
	k := newMarks(nil)
	group := profile{}
	for i := range 1000 {
		name := "Common"
		if i%100 == 0 {
			name = "Rare"
		}
		m := testMember("", name, "s", "", signal.Warning)
		read := k.read(&m)
		if i%100 == 0 || i%100 == 1 {
			group.add(&read, 1)
		}
	}
	rare, common := testMember("", "Rare", "s", "", signal.Warning), testMember("", "Common", "s", "", signal.Warning)
	g := &Grouping{marks: k}
	r, c := k.look(&rare), k.look(&common)
	_, forRare := g.likeness(&r, &group)
	_, forCommon := g.likeness(&c, &group)
	if forRare <= 0 || forRare <= forCommon {
		t.Errorf("got %v for a rare name and %v for a common one that are in the group alike", forRare, forCommon)
	}
}

func TestSwitchedOffTermsSayNothing(t *testing.T) {
	cfg := DefaultGroupingConfig()
	cfg.Without = []string{"labels", "text"}
	g := NewGrouping(cfg, nil)
	m := testMember("a", "A", "s", "p", signal.Warning)
	read := g.marks.read(&m)
	group := profile{}
	group.add(&read, 5)
	if labels, text := g.likeness(&read, &group); labels != 0 || text != 0 {
		t.Errorf("got %v and %v, want nothing", labels, text)
	}
}

func TestWhatIsLearnedSurvivesStoring(t *testing.T) {
	g := NewGrouping(DefaultGroupingConfig(), nil)
	play(g, 3, 20_000)
	again := NewGrouping(DefaultGroupingConfig(), nil)
	if err := again.Restore(at(0), Restored{Learned: g.Learned()}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(g.Learned()), string(again.Learned())); diff != "" {
		t.Error(diff)
	}
}
