// A form that writes a filter for those who don't want the language.

import { EMPTY, read, write } from '../model/form.js';
import { View } from './template.js';

class Form extends View {
  #wrote = null;

  begin() {
    this.on(this, 'input', () => this.#write());
    this.on(this.writing, 'change', () => {
      if (!this.hidden && this.writing.text !== this.#wrote) this.#read();
    });
  }

  open() {
    this.#read();
    this.querySelector('input')?.focus();
  }

  #read() {
    const { text } = this.writing;
    const fields = text.trim() === '' ? EMPTY : read(text);
    this.update({ more: fields === null });
    for (const input of this.querySelectorAll('input')) {
      if (input.type === 'checkbox') input.checked = (fields ?? EMPTY)[input.name].includes(input.value);
      else input.value = (fields ?? EMPTY)[input.name];
    }
    this.#wrote = fields ? text : null;
  }

  #write() {
    const fields = { ...EMPTY, has: [], without: [] };
    for (const input of this.querySelectorAll('input')) {
      if (input.type !== 'checkbox') fields[input.name] = input.value;
      else if (input.checked) fields[input.name].push(input.value);
    }
    this.#wrote = write(fields);
    this.update({ more: false });
    this.writing.set({ text: this.#wrote });
  }
}

customElements.define('tf-form', Form);
