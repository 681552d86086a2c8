// Options of both `wrenmq pub` and `wrenmq sub`.

export interface ClientOptions {
  readonly url?: string;
  readonly host?: string;
  readonly port?: number;
  readonly user?: string;
  /** true: `-P` without a value: the command asks for the password. */
  readonly password?: string | true;
  readonly passwordFile?: string;
  readonly configFile?: string;
  readonly clientId?: string;
  readonly qos?: 0 | 1 | 2;
  readonly keepAlive?: number;
  readonly cleanSession?: boolean;
  readonly protocol?: ProtocolName;
  readonly caFile?: string;
  readonly caPath?: string;
  readonly caData?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  readonly insecure?: boolean;
  readonly willTopic?: string;
  readonly willMessage?: string;
  readonly willQos?: 0 | 1 | 2;
  readonly willRetain?: boolean;
  readonly extraHeaders?: Record<string, string>;
  readonly debug?: boolean;
}

export type ProtocolName = "3.1" | "3.1.1" | "5";
