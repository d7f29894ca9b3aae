// Errors of the host as exceptions.

/** The policy cannot go on. Throw one in words; Denied and Invalid are those that the host throws. */
export class PolicyError extends Error {
  get value() {
    return { tag: 'other', val: this.message };
  }
}

/** The operator has not granted what was asked for. */
export class Denied extends PolicyError {
  constructor(denial) {
    super(`${denial.capability}: ${denial.asked} is not granted; what would allow it:\n${denial.grant}`);
    Object.assign(this, denial);
    this.denial = denial;
  }

  get value() {
    return { tag: 'denied', val: this.denial };
  }
}

/** An argument is not what the field's manual allows. */
export class Invalid extends PolicyError {
  constructor(invalid) {
    super(`${invalid.argument}: ${invalid.reason}`);
    Object.assign(this, invalid);
    this.invalid = invalid;
  }

  get value() {
    return { tag: 'invalid', val: this.invalid };
  }
}

/** Why a job ended without a result. `retry` tells whether another attempt can be expected to do better. */
export class Failure extends Error {
  constructor(message, retry = false, tag = 'other') {
    super(message);
    this.retry = retry;
    this.tag = tag;
  }
}

function exception({ tag, val }) {
  switch (tag) {
    case 'denied':
      return new Denied(val);
    case 'invalid':
      return new Invalid(val);
    case 'refused':
      return exception(val);
    case 'no-capacity':
    case 'lost':
    case 'unreachable':
      return new Failure(val, true, tag);
    case 'too-large':
      return new Failure(val, false, tag);
    default:
      return new PolicyError(val);
  }
}

/** Fields that have 16 bits; all other numbers of the contract have 32. */
const SHORT = new Set(['cpus', 'first', 'last', 'listenPort', 'persistentKeepalive', 'port', 'permille']);

/**
 * The number as the bindings take it. They cut numbers to a smaller size without a word, and know a large one by its
 * negative twin only.
 */
export function whole(number, name = '') {
  const most = SHORT.has(name) ? 0xffff : 0xffffffff;
  if (!Number.isInteger(number) || number < 0 || number > most) {
    throw new RangeError(`${name || 'a number'}: ${number} is not a whole number from 0 to ${most}`);
  }
  return number > 0x7fffffff ? number | 0 : number;
}

function wholes(value, name) {
  if (typeof value === 'number') return whole(value, name);
  if (Array.isArray(value)) return value.map((item) => wholes(item));
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return value;
  const nameOf = (key) => (value.tag === 'redirect' && key === 'val' ? 'port' : key);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, wholes(inner, nameOf(key))]));
}

/** The same function, with its numbers checked and the errors of the host as exceptions. */
export function throwing(call) {
  return (...given) => {
    const numbers = given.map((value) => wholes(value));
    try {
      return call(...numbers);
    } catch (thrown) {
      const value = thrown?.payload ?? thrown;
      throw value && typeof value.tag === 'string' ? exception(value) : thrown;
    }
  };
}
