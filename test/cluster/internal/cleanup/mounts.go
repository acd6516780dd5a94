package cleanup

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// unmount unmounts all that is mounted in any of these folders.
func unmount(below []string) error {
	// A mount may hide another one on the same folder, so look again.
	for range 10 {
		info, err := os.ReadFile("/proc/self/mountinfo")
		if err != nil {
			return err
		}
		points := mountPoints(string(info), below)
		if len(points) == 0 {
			return nil
		}
		for _, point := range points {
			// Detached, as what still uses it is gone or about to go.
			if err := unix.Unmount(point, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW); err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOENT) {
				return fmt.Errorf("unmount %s: %w", point, err)
			}
		}
	}
	return fmt.Errorf("there are still mounts in %s", strings.Join(below, ", "))
}

// mountPoints reads a mountinfo. The last mount comes first, as it may be on
// top of others.
func mountPoints(mountinfo string, below []string) []string {
	var points []string
	for line := range strings.Lines(mountinfo) {
		f := strings.Fields(line)
		if len(f) < 5 {
			continue
		}
		point := unescape.Replace(f[4])
		for _, dir := range below {
			if strings.HasPrefix(point, dir+"/") || point == dir {
				points = append([]string{point}, points...)
				break
			}
		}
	}
	return points
}

// unescape undoes the kernel's way to write spaces and the like.
var unescape = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
