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

/**
 * Why a job ended without a result. `retry` tells whether another attempt can be expected to do better, `tag` is the name that the
 * contract has for a failure of the host: `lost`, `no-capacity`, `too-large`, `unreachable`, else `other`.
 */
export class Failure extends Error {
  constructor(message, retry = false, tag = 'other', cause = undefined) {
    super(message);
    Object.assign(this, { retry, tag, cause });
  }
}

function exception({ tag, val }) {
  switch (tag) {
    case 'denied':
      return new Denied(val);
    case 'invalid':
      return new Invalid(val);
    default:
      return new PolicyError(val);
  }
}

/** Failures that another attempt can be expected not to meet, by interface, and what stead is told of them. */
const LUCK = {
  vm: { lost: 'vm-lost', 'no-capacity': 'no-capacity' },
  container: { lost: 'temporary' },
  http: { unreachable: 'temporary' },
};

function failure(kind, { tag, val }) {
  if (tag === 'refused') return exception(val);
  const cause = LUCK[kind][tag];
  return new Failure(val, cause !== undefined, tag, cause);
}

/** How stead is told of causes: by the interface `retry`, when the policy has it. */
export const causes = { because: undefined };

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
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return value;
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return Array.from(value, (item) => wholes(item));
  const nameOf = (key) => (value.tag === 'redirect' && key === 'val' ? 'port' : key);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, wholes(inner, nameOf(key))]));
}

/** The same function, with its numbers checked and the errors of the host as exceptions; those of a `kind` as failures. */
export function throwing(call, kind) {
  return (...given) => {
    const numbers = given.map((value) => wholes(value));
    try {
      const answer = call(...numbers);
      return typeof answer === 'number' ? answer >>> 0 : answer;
    } catch (thrown) {
      const value = thrown?.payload ?? thrown;
      if (!value || typeof value.tag !== 'string') throw thrown;
      throw kind ? failure(kind, value) : exception(value);
    }
  };
}
