// The time until which a filter is used: what its field says, and what is wrong with that.

import { serverNow } from '../model/clock.js';
import { moment } from './text.js';

const LAST_YEAR = 9999;
const NO_TIME = {
  half: 'This time is written only in part: write day, month, year, hour and minute, or choose no end.',
  late: `No time is that late: write a year up to ${LAST_YEAR}.`,
};

/** Takes what is written in a field over into a filter that is being written, and shows there what that has. */
export class Expiry {
  #field;
  #writing;

  constructor(field, writing) {
    [this.#field, this.#writing] = [field, writing];
  }

  /** Something else is written. What is written only in part is no mistake before it is left. */
  take(isLeft = false) {
    const [writing, { value, validity }] = [this.#writing, this.#field];
    if (validity.badInput) {
      const noTime = isLeft || writing.noTime === 'half' ? 'half' : 'begun';
      if (noTime !== writing.noTime) writing.set({ noTime });
      return;
    }
    const time = value ? new Date(value) : null;
    // Browsers let years be written that no time has.
    if (time && !(time.getUTCFullYear() <= LAST_YEAR)) writing.set({ noTime: 'late' });
    else writing.setEnd(time && time.toISOString());
  }

  /** Browsers tell of no input as long as what is written, or was, is no time. */
  look(isLeft) {
    const wasHalf = ['begun', 'half'].includes(this.#writing.noTime);
    if (this.#field.validity.badInput || wasHalf) this.take(isLeft);
  }

  /** Shows what is taken over. What is written as it is no time stays. */
  draw() {
    const [writing, field] = [this.#writing, this.#field];
    const local = writing.expires ? localTime(writing.expires) : '';
    if (writing.noTime === '' && (field.value !== local || field.validity.badInput)) field.value = local;
    field.setAttribute('aria-invalid', String(this.mistake !== ''));
  }

  /** What is wrong with it, as a sentence. */
  get mistake() {
    const { noTime, isOver } = this.#writing;
    if (noTime !== '') return NO_TIME[noTime] ?? '';
    return isOver ? 'This time has passed: the filter would be switched off at once. Choose a later one, or no end.' : '';
  }

  /** What it means, as a sentence. */
  get meaning() {
    const { expires, enabled, isRevived } = this.#writing;
    if (expires && new Date(expires) <= serverNow()) return `It was switched off ${moment(expires)}`;
    if (!enabled) return 'It is off until you switch it on: “In use”, under “More”';
    if (isRevived) return `It is switched on again, ${expires ? `until ${moment(expires)}` : 'and stays until you switch it off'}`;
    return expires ? `It is switched off ${moment(expires)}` : 'It stays until you switch it off';
  }
}

function localTime(time) {
  const at = new Date(time);
  const shifted = new Date(at.getTime() - at.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 16);
}
