/** The parts of the conventional variant, put together as the engine asks for them. */
import type { Coordinate } from "../../parts/storage/storage_model/row/kvlsm/blackboard/coordination.ts";
import { BackgroundScheduler } from "./background-scheduler.bench.ts";
import { Condition } from "./condition.bench.ts";
import { ErrorHandler } from "./error-handler.bench.ts";
import { WriteController } from "./write-controller.bench.ts";

export const coordinate: Coordinate = (options) => {
  const { board, env } = options;
  const finished = new Condition();
  const errors = new ErrorHandler(env, board, finished);
  const stall = new WriteController(board, env.clock, errors, finished);
  return { runner: new BackgroundScheduler(options, errors, stall, finished), stall };
};
