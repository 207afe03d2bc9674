/**
 * Gives the property tests of a run one seed.
 *
 * `npm test` loads this file before every test file. Chance would make a run fail that nobody can repeat: what is drawn
 * comes from `LATHE_TEST_SEED`, 1 unless it is set. `LATHE_TEST_SEED=random npm test` takes a new one and says which.
 * A test file that is run by itself, without this, explores: fast-check draws a seed and prints it with a failure.
 */
import fc from "fast-check";

const seed = Number(process.env.LATHE_TEST_SEED);
if (Number.isSafeInteger(seed)) fc.configureGlobal({ seed });
