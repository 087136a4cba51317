package main
import (
	"fmt"
	. "math"
	_ "github.com/lib/pq/x"
	y "gopkg.in/yaml.v3"
	"unsafe"
)
type S struct { A int }
type I interface { M(a, b int, c ...string) error }
func (s *S) Do(a, b int, c ...string) (int, error) {
	if a > 1 && b > 2 || a == 3 { panic("x") }
	for i := range c { switch i { case 1, 2: fmt.Println(i); default: } }
	v, _ := f()
	_ = f()
	func() { if a > 1 {} }()
	return v, nil // FIXME
}
func main() {}
