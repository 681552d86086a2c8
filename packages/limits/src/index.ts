export {
  DEFAULT_LIMITS,
  LARGEST_PACKET,
  LIMITS,
  type Limit,
  type Limits,
  type LimitUnit,
  type Overflow,
} from "./limits.ts";
