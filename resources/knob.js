// A slider and a number that are one control.

import { fill } from "./session.js";

export class Knob {
  /**
   * @param element holds the slider and the number
   * @param change called with a new value
   */
  constructor(element, change) {
    this.slider = element.querySelector("[type=range]");
    this.number = element.querySelector("[type=number]");
    this.logarithmic = "logarithmic" in this.slider.dataset;
    this.slider.addEventListener("input", () => {
      const value = Number(this.slider.value);
      const rounded = Number(this.logarithmic ? (10 ** value).toPrecision(2) : value.toPrecision(3));
      const inside = Math.min(Math.max(rounded, this.number.min), this.number.max);
      this.number.value = inside;
      this.#say(inside);
      change(inside);
    });
    this.number.addEventListener("change", () => this.number.reportValidity() && change(this.number.valueAsNumber));
  }

  show(value) {
    fill(this.number, value);
    this.slider.value = this.logarithmic ? Math.log10(value) : value;
    this.#say(value);
  }

  #say(value) {
    this.slider.setAttribute("aria-valuetext", value);
  }
}
