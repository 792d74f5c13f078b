// Package examples holds configurations to copy and a small recording to try; its tests keep them right.
package examples
