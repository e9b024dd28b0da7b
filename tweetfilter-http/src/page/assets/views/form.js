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
    this.hidden = this.writing.form === null;
    if (!this.hidden) this.#resume();
  }

  open() {
    this.hidden = false;
    this.writing.form = { fields: null };
    this.#read();
    this.querySelector('input')?.focus();
  }

  close() {
    this.hidden = true;
    this.writing.form = null;
  }

  // As it was left, to the letter: a text says less than what was typed here.
  #resume() {
    const { form, text } = this.writing;
    if (form.fields && write(form.fields) === text) this.#show(form.fields);
    else this.#read();
  }

  #read() {
    const { text } = this.writing;
    this.#show(text.trim() === '' ? EMPTY : read(text));
  }

  #show(fields) {
    this.writing.form.fields = fields;
    this.update({ more: fields === null });
    for (const input of this.querySelectorAll('input')) {
      if (input.type === 'checkbox') input.checked = (fields ?? EMPTY)[input.name].includes(input.value);
      else input.value = (fields ?? EMPTY)[input.name];
    }
    this.#wrote = fields ? this.writing.text : null;
  }

  #write() {
    const fields = { ...EMPTY, has: [], without: [] };
    for (const input of this.querySelectorAll('input')) {
      if (input.type !== 'checkbox') fields[input.name] = input.value;
      else if (input.checked) fields[input.name].push(input.value);
    }
    this.writing.form.fields = fields;
    this.#wrote = write(fields);
    this.update({ more: false });
    this.writing.set({ text: this.#wrote });
  }
}

customElements.define('tf-form', Form);
