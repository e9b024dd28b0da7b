// What the browser keeps for this page: for the tab, or for all tabs of this address. Where it may not, nothing is remembered,
// and all else goes on.

class Remembered {
  #place;

  // Only to ask for the place throws where it is denied.
  constructor(place) {
    this.#place = place;
  }

  get(name) {
    return this.#try((place) => place.getItem(name));
  }

  set(name, value) {
    this.#try((place) => place.setItem(name, value));
  }

  remove(name) {
    this.#try((place) => place.removeItem(name));
  }

  #try(act) {
    try {
      return act(this.#place());
    } catch {
      return null;
    }
  }
}

export const ofTab = new Remembered(() => sessionStorage);
export const ofAddress = new Remembered(() => localStorage);
