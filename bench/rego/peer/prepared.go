// prepared - OPA's own prepared query: compile once, convert the input once, evaluate again and again.
//
//	prepared POLICY INPUT QUERY RUNS    prints "SECONDS RESULTS" of the best run, RESULTS as JSON
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/util"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "prepared:", err)
		os.Exit(1)
	}
}

func main() {
	if len(os.Args) != 5 {
		check(fmt.Errorf("wants POLICY INPUT QUERY RUNS"))
	}
	policy, err := os.ReadFile(os.Args[1])
	check(err)
	text, err := os.ReadFile(os.Args[2])
	check(err)
	runs, err := strconv.Atoi(os.Args[4])
	check(err)
	ctx := context.Background()
	query, err := rego.New(rego.Query(os.Args[3]), rego.Module(os.Args[1], string(policy))).PrepareForEval(ctx)
	check(err)
	var document any
	check(util.NewJSONDecoder(bytes.NewReader(text)).Decode(&document))
	input, err := ast.InterfaceToValue(document)
	check(err)
	best := time.Duration(1 << 62)
	var results rego.ResultSet
	for i := 0; i < runs; i++ {
		start := time.Now()
		results, err = query.Eval(ctx, rego.EvalParsedInput(input))
		check(err)
		if took := time.Since(start); took < best {
			best = took
		}
	}
	out, err := json.Marshal(results[0].Expressions[0].Value)
	check(err)
	fmt.Printf("%.9f %s\n", best.Seconds(), out)
}
