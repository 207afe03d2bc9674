/**
 * System variables: what is true of this server, under the names that MySQL gives it; drivers read them on connect.
 *
 * What the surface knows better (its limits, its version) comes from the session.
 */
import type { ColumnValue } from "../../../../architecture/catalog/table.ts";
import type { SessionView } from "../../../executor.ts";
import type { ExecutorLimits } from "./plan.ts";

const character = "utf8mb4";
const collation = "utf8mb4_bin";

const fixed: readonly (readonly [string, ColumnValue])[] = [
  ["auto_increment_increment", 1n],
  ["auto_increment_offset", 1n],
  ["autocommit", 1n],
  ["character_set_client", character],
  ["character_set_connection", character],
  ["character_set_database", character],
  ["character_set_results", character],
  ["character_set_server", character],
  ["character_set_system", character],
  ["collation_connection", collation],
  ["collation_database", collation],
  ["collation_server", collation],
  ["default_storage_engine", "Lathe"],
  ["event_scheduler", "OFF"],
  ["explicit_defaults_for_timestamp", 1n],
  ["foreign_key_checks", 1n],
  ["gtid_mode", "OFF"],
  ["have_query_cache", "NO"],
  ["init_connect", ""],
  ["innodb_flush_log_at_trx_commit", 1n],
  ["interactive_timeout", 28_800n],
  ["lathe_loss_window_ms", 0n],
  ["lathe_profile", "safe"],
  ["license", "Apache-2.0"],
  ["log_bin", 0n],
  ["lower_case_table_names", 0n],
  ["max_allowed_packet", 67_108_864n],
  ["max_execution_time", 0n],
  ["net_buffer_length", 16_384n],
  ["net_write_timeout", 60n],
  ["performance_schema", 0n],
  ["query_cache_size", 0n],
  ["query_cache_type", "OFF"],
  ["read_only", 0n],
  ["sql_mode", "STRICT_TRANS_TABLES"],
  ["sql_select_limit", 18_446_744_073_709_551_615n],
  ["system_time_zone", "UTC"],
  ["time_zone", "SYSTEM"],
  ["transaction_read_only", 0n],
  ["tx_read_only", 0n],
  ["unique_checks", 1n],
  ["version_comment", "Lathe"],
  ["version_compile_machine", "x86_64"],
  ["version_compile_os", "Linux"],
  ["wait_timeout", 28_800n],
  ["warning_count", 0n],
];

export function serverVariables(
  limits: ExecutorLimits,
  session: SessionView | undefined,
): ReadonlyMap<string, ColumnValue> {
  const variables = new Map(fixed);
  variables.set("version", limits.serverVersion);
  for (const name of ["transaction_isolation", "tx_isolation"]) variables.set(name, limits.isolationName);
  for (const [name, value] of session?.variables() ?? []) variables.set(name, value);
  return variables;
}
