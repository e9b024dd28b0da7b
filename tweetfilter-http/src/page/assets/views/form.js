// A form that writes a filter for those who don't want the language.

import { EMPTY, read, troubles, write } from '../model/form.js';
import { View } from './template.js';
import { brief } from './text.js';

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
    if (form.fields && write(form.fields, this.writing.most) === text) this.#show(form.fields);
    else this.#read();
  }

  #read() {
    const { text, isTooLong } = this.writing;
    if (isTooLong) this.#show(null);
    else this.#show(text.trim() === '' ? EMPTY : read(text));
  }

  /** Puts back the text that says more than the form can, and goes away. */
  back() {
    const { form, replaced } = this.writing;
    this.close();
    // Where nothing was filled in yet, it stands there still.
    if (form.fields !== null) this.writing.set({ text: replaced });
  }

  #show(fields) {
    this.writing.form.fields = fields;
    this.#say();
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
    const { form, text } = this.writing;
    if (form.fields === null) this.writing.replaced = text;
    form.fields = fields;
    this.#wrote = write(fields, this.writing.most);
    this.#say();
    this.writing.set({ text: this.#wrote });
  }

  // What the form can't say, what it took the place of, and what is wrong in it.
  #say() {
    const { replaced, form } = this.writing;
    const { fields } = form;
    const wrong = troubles(fields ?? EMPTY, this.writing.most);
    this.update({ more: fields === null, replaced: fields !== null && brief(replaced), from: wrong.from, lang: wrong.lang });
    for (const [name, trouble] of Object.entries(wrong)) {
      this.querySelector(`[name="${name}"]`).setAttribute('aria-invalid', String(trouble !== ''));
    }
  }
}

customElements.define('tf-form', Form);
