// Package metric holds figures of merit that are counted while a model trains or is evaluated.
//
// Update runs inside the trace of a step and adds what a batch contributes to totals, variables of role Total that
// outlive the step; Result makes the figure from the totals on the host, whenever someone wants to see it. So a figure
// does not depend on how the samples were cut into batches, and costs nothing while nobody looks.
//
//	totals := metric.NewTotals(g, "metrics/accuracy")
//	metric.Accuracy{}.Update(totals, y, classes, nil)              // inside the trace
//	...                                                            // run the step over all batches
//	acc := metric.Accuracy{}.Result(metric.ValuesOf("metrics/accuracy", vars))
//
// Totals are float64 or int64: a float32 stops counting at 2^24. Formulas, thresholds and names are those of Keras 3;
// shapes never broadcast. A weight per sample, (B) or (B,T), multiplies what the sample contributes; steps that a mask
// on the output excludes do not count.
//
// Package metric imports packages tensor, array, nn and loss, nothing else of Kun.
package metric
