package app

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOnlyUnchangedCodeOfTheProgramIsGivenBack(t *testing.T) {
	const smaps = `00400000-02989000 r-xp 00000000 fe:00 9977971                            /opt/fairlead
Rss:               35812 kB
Private_Dirty:      4 kB
Anonymous:             0 kB
VmFlags: rd ex mr mw me
02989000-05691000 r--p 02589000 fe:00 9977971                            /opt/fairlead (deleted)
Rss:               37276 kB
Anonymous:             0 kB
05691000-05797000 rw-p 05291000 fe:00 9977971                            /opt/fairlead
Rss:                 984 kB
05797000-05798000 r--p 05291000 fe:00 9977971                            /opt/fairlead
Rss:                 4 kB
Anonymous:             4 kB
c000000000-c004000000 rw-p 00000000 00:00 0
Rss:               30000 kB
7f0000000000-7f0000001000 r-xp 00000000 fe:00 1                          /lib/other.so
Rss:               100 kB
`
	got, err := codeAreas(strings.NewReader(smaps), "/opt/fairlead")
	want := []area{{0x400000, 0x2989000, 35812 << 10}, {0x2989000, 0x5691000, 37276 << 10}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(area{})); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	if _, err := giveBackCode(); err != nil { // and the program goes on
		t.Error(err)
	}
}
