// SPDX-License-Identifier: Apache-2.0
//
// suite.mjs DIR BASE_URL [TEST_ID] - run the suite in DIR against the cache at BASE_URL, and print a
// line for each test, with tabs between: id, kind, result, message. Kinds are the suite's (required,
// optimal, check), and so is the judgement, dependencies included; results are pass and fail, for
// checks yes and no, and void where a set-up, a dependency or the harness failed, so that nothing can
// be said. With a TEST_ID only that one, with the suite's own trace of it in front.
//
// Called by `run`, which knows nothing of the suite's inside.
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const [dir, base, only] = process.argv.slice(2)
const part = name => import(pathToFileURL(join(resolve(dir), ...name.split('/'))).href)

const { default: groups } = await part('tests/index.mjs')
const { runTests, getResults } = await part('test-engine/client/runner.mjs')
const { determineTestResult, resultTypes } = await part('test-engine/lib/results.mjs')

const words = new Map([
  [resultTypes.pass, 'pass'],
  [resultTypes.fail, 'fail'],
  [resultTypes.optional_fail, 'fail'],
  [resultTypes.yes, 'yes'],
  [resultTypes.no, 'no'],
  [resultTypes.setup_fail, 'void: set-up'],
  [resultTypes.dependency_fail, 'void: dependency'],
  [resultTypes.harness_fail, 'void: harness'],
  [resultTypes.retry, 'void: retry']
])

let chosen = groups
if (only) {
  chosen = groups.map(group => ({ ...group, tests: group.tests.filter(test => test.id === only) }))
  for (const group of chosen) for (const test of group.tests) test.dump = true
}
await runTests(chosen, false, base)

const results = getResults()
for (const group of chosen) {
  for (const test of group.tests) {
    if (results[test.id] === undefined) continue // for browsers only
    const type = determineTestResult(groups, test.id, results, !only)
    const [word, reason] = words.get(type).split(': ')
    const message = Array.isArray(results[test.id]) ? results[test.id][1] : ''
    const text = [reason, message].filter(Boolean).join(': ').replace(/\s+/g, ' ')
    console.log([test.id, test.kind ?? 'required', word, text].join('\t'))
  }
}
