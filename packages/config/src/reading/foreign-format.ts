// Recognises configuration files of other programs, to report what they are and what to do. Used only when a text is
// not a YAML mapping, so a valid file is never refused here.

export interface ForeignFormat {
  /** From 1. */
  readonly line: number;
  readonly message: string;
}

/** Keywords of mosquitto.conf. Each is at the beginning of a line, with its value after a space. */
const MOSQUITTO = new Set(
  `acl_file address allow_anonymous allow_duplicate_messages allow_zero_length_clientid auth_plugin auto_id_prefix
  autosave_interval autosave_on_changes bind_address bind_interface bridge_protocol_version cafile capath certfile
  check_retain_source ciphers clientid_prefixes connection connection_messages crlfile dhparamfile http_dir include_dir
  keepalive_interval keyfile listener listener_allow_anonymous log_dest log_facility log_timestamp
  log_timestamp_format log_type max_connections max_inflight_bytes max_inflight_messages max_keepalive max_packet_size
  max_qos max_queued_bytes max_queued_messages max_topic_alias memory_limit message_size_limit mount_point
  password_file per_listener_settings persistence persistence_file persistence_location
  persistent_client_expiration pid_file plugin plugin_opt_path port protocol psk_file psk_hint queue_qos0_messages
  remote_clientid remote_password remote_username require_certificate retain_available retry_interval
  set_tcp_nodelay socket_domain store_clean_interval sys_interval tls_engine tls_version topic try_private
  upgrade_outgoing_qos use_identity_as_username use_subject_as_username use_username_as_clientid user
  websockets_headers_size websockets_log_level`.split(/\s+/),
);

/** The first lines are enough to recognise a format. */
const MOST_LINES = 5000;

/** What a text that is not a YAML mapping may be. The result contains no values, as they may be secrets. */
export function foreignFormat(text: string): ForeignFormat | undefined {
  for (const [index, line] of text.split("\n", MOST_LINES).entries()) {
    const message = formatOf(line.trimEnd());
    if (message !== undefined) return { line: index + 1, message };
  }
  return undefined;
}

function formatOf(line: string): string | undefined {
  const keyword = /^([a-z_0-9]+)[ \t]+[^\s:]/.exec(line)?.[1];
  if (keyword !== undefined && MOSQUITTO.has(keyword)) {
    return `this is a configuration of Mosquitto (${keyword} …), and WrenMQ reads YAML: "Coming from Mosquitto" in docs/configuration.md says how to write the same`;
  }
  if (/^<(\?xml|!DOCTYPE|[a-z][\w.-]*[\s>])/i.test(line)) return "this is XML, and WrenMQ reads YAML";
  const key = /^([\w.-]{1,60})[ \t]*=[ \t]*\S/.exec(line)?.[1];
  if (key !== undefined) return `this has lines such as "${key} = …", and WrenMQ reads YAML: write "${key}: …"`;
  if (line.startsWith("-----BEGIN ")) return "this is a certificate or a key, and no configuration";
  return undefined;
}
