/** Nothing the page waits for may keep it waiting for ever. */

/**
 * Ask, and read the answer. Rejects when both together take longer.
 * @template T
 * @param {number} ms
 * @param {string} url
 * @param {RequestInit} options
 * @param {(response: Response) => Promise<T>} read
 * @returns {Promise<T>}
 */
export async function fetchWithin(ms, url, options, read) {
  const ends = new AbortController();
  const timer = setTimeout(() => ends.abort(), ms);
  try {
    return await read(await fetch(url, { ...options, signal: ends.signal }));
  } finally {
    clearTimeout(timer);
  }
}

/** What a promise brings, or `otherwise` when it takes longer. @param {number} ms @param {Promise<any>} promise */
export async function within(ms, promise, otherwise) {
  let timer = 0;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, ms, otherwise);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
