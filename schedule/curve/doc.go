// Package curve plans a learning-rate range test and reads its result.
//
// The test (Smith 2017, "Cyclical Learning Rates for Training Neural
// Networks", section 3.3) trains for some hundred steps while the learning rate
// rises from far too small to far too large. [Rates] says at which rates; a
// [Watch] looks at the losses as they come and says when to stop; [Read] turns
// the finished curve into suggestions and a verdict in words.
//
// What is known to mislead in such tests is met here as follows. The smoothing
// that decides where a suggestion lies looks both ways, so it does not lag
// behind. Slopes are taken per logarithm of the rate. A fall has to stand out
// from the noise, which is measured, before anything is suggested. Where the loss rises
// without one, a finer sweep around the rise may see it ([Reading.Finer]). And a
// curve that has no answer gets a verdict that says so, and what to change.
package curve
