// Package placement pairs wanted instances with offers: resource and port
// arithmetic, constraints, and a reason for every pair that does not fit. It is
// pure: the policies it asks are values handed to it.
//
// A Matcher is made so that a placement costs the same in a large cluster as in
// a small one, and for the thousandth instance of an app as for the first:
//
//   - Between matches it keeps a dictionary per field (column), in which every
//     known agent has a slot, and the verdicts of pure policies per slot. A policy
//     sees values, never offers, and is asked about a value once.
//   - Offers become rows of a table when somebody looks at them (table), and rows
//     are seen through a lane by all apps that take resources of the same roles.
//   - During a match offers only get smaller, so what was refused for its size is
//     refused for good. Apps with equal demands (requirement) share the place up
//     to which that is so, and the counts of refusals.
//   - Rules are looked at once per group of rows that have the same values
//     (grouping). An app goes round the groups (groupCursor), and forwards only
//     within one, also when a policy gives out new quotas at every turn.
//   - A rule that accepts few values leads straight to the rows that have them.
//   - What a match needs for every value of a dictionary, counts and quotas, lies
//     in rooms that are lent from rule to rule and used again (rooms). A rule that
//     counts is asked about all values: that is the one cost of a match that is
//     left for each agent, a few nanoseconds for each host.
//
// A match stops at the first rule that refuses an offer. Explain does not: it has
// every rule's word on every agent, and which change of one rule would gain
// agents. Predict tells what a match would place, and takes nothing.
package placement
