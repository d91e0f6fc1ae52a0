// What makes the shop quicker to use. Every page works without it.

const $ = (id) => document.getElementById(id);

// Suggestions while typing: a combobox with a list below it (WAI-ARIA Authoring Practices, combobox, list autocomplete).

const TYPING_PAUSE_MS = 120;
const FEWEST_LETTERS = 2;

function suggest(input) {
  const list = document.createElement("ul");
  list.id = `${input.id}-suggestions`;
  list.className = "suggestions";
  list.hidden = true;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", input.dataset.list);
  input.after(list);
  for (const [name, value] of Object.entries({
    role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": list.id,
  })) input.setAttribute(name, value);

  let timer, asking, active = -1;

  const close = () => {
    clearTimeout(timer);
    asking?.abort();
    list.hidden = true;
    active = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };

  const choose = (index) => {
    list.children[active]?.setAttribute("aria-selected", "false");
    active = index;
    const option = list.children[active];
    if (!option) return input.removeAttribute("aria-activedescendant");
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", option.id);
  };

  const show = (items) => {
    list.replaceChildren(...items.map((item, index) => {
      const option = document.createElement("li");
      option.id = `${list.id}-${index}`;
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "false");
      option.dataset.address = item.address;
      const text = document.createElement("span");
      text.textContent = item.text;
      option.append(text);
      const kind = input.dataset[item.kind] ?? item.by;
      if (kind) {
        const said = document.createElement("span");
        said.className = "kind";
        said.textContent = kind;
        option.append(" ", said);
      }
      return option;
    }));
    active = -1;
    list.hidden = items.length === 0;
    input.setAttribute("aria-expanded", String(items.length > 0));
    input.removeAttribute("aria-activedescendant");
  };

  const ask = async () => {
    asking?.abort();
    asking = new AbortController();
    try {
      const address = `${input.dataset.suggest}?q=${encodeURIComponent(input.value.trim())}`;
      const answer = await fetch(address, { signal: asking.signal, headers: { Accept: "application/json" } });
      if (answer.ok) show((await answer.json()).items);
      else close();
    } catch (error) {
      if (error.name !== "AbortError") close();
    }
  };

  input.addEventListener("input", () => {
    clearTimeout(timer);
    if (input.value.trim().length < FEWEST_LETTERS) return close();
    timer = setTimeout(ask, TYPING_PAUSE_MS);
  });
  input.addEventListener("keydown", (event) => {
    if (list.hidden) return;
    const last = list.children.length - 1;
    if (event.key === "ArrowDown") choose(active === last ? -1 : active + 1);
    else if (event.key === "ArrowUp") choose(active === -1 ? last : active - 1);
    else if (event.key === "Escape") close();
    else if (event.key === "Enter" && active >= 0) location.assign(list.children[active].dataset.address);
    else return;
    event.preventDefault();
  });
  input.addEventListener("blur", close);
  // Before the click takes the focus away, and with it the list.
  list.addEventListener("pointerdown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) location.assign(option.dataset.address);
  });
}

// Into the basket without leaving the page. Whatever goes wrong, the form is sent as it would be without a script.

async function putIntoBasket(form) {
  let sent = form;
  if (form.method === "get") {
    // A page that everybody is shown alike has no form of one's own; it stands on the page that this one leads to.
    const page = await fetch(`${form.action}?${new URLSearchParams(new FormData(form))}`);
    if (!page.ok) return false;
    const other = new DOMParser().parseFromString(await page.text(), "text/html");
    sent = other.querySelector("main form[method=post]");
    if (!sent) return false;
  }
  const answer = await fetch(sent.getAttribute("action"), {
    method: "POST", body: new URLSearchParams(new FormData(sent)), headers: { Accept: "application/json" },
  });
  if (!answer.ok || answer.redirected) return false;
  const { copies } = await answer.json();
  $("basket-copies").textContent = copies.toLocaleString();
  $("put").textContent = $("put").dataset.put;
  $("to-basket").hidden = false;
  return true;
}

document.addEventListener("submit", async (event) => {
  const button = event.submitter;
  if (!button?.hasAttribute("data-to-basket")) return;
  event.preventDefault();
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true");
  $("put").textContent = "";
  const put = await putIntoBasket(event.target).catch(() => false);
  button.removeAttribute("aria-disabled");
  if (!put) event.target.submit();
});

// The stock and the price of the book that is looked at, asked for now and then while somebody looks.

const LOOK_AGAIN_MS = 15_000;

async function lookAgain(buy) {
  if (document.visibilityState !== "visible") return;
  const answer = await fetch(buy.dataset.book, { headers: { Accept: "application/json" } }).catch(() => null);
  if (!answer?.ok) return;
  const { quantity, price } = await answer.json();
  const stock = $("stock"), { out, few, fewBelow, many } = stock.dataset;
  stock.textContent = quantity === 0 ? out : quantity < Number(fewBelow) ? few.replace("{n}", quantity) : many;
  stock.classList.toggle("out", quantity === 0);
  stock.classList.toggle("few", quantity > 0 && quantity < Number(fewBelow));
  $("new-price").hidden = price.amount === Number(buy.dataset.price);
}

// A file that is too large is told before it is sent: of a very large one no browser waits for the answer.

document.addEventListener("change", ({ target }) => {
  const { largestBytes, tooLarge } = target.dataset;
  if (largestBytes) target.setCustomValidity(target.files[0]?.size > Number(largestBytes) ? tooLarge : "");
});

document.querySelectorAll("input[data-suggest]").forEach(suggest);
const buy = $("buy");
if (buy) {
  setInterval(lookAgain, LOOK_AGAIN_MS, buy);
  document.addEventListener("visibilitychange", () => lookAgain(buy));
}
