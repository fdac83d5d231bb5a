import { isIP } from 'node:net';
import { z } from 'zod';
import { show } from './raw-values.js';

const PRINTABLE = /^\P{Cc}+$/u;

type Refuse = (message: string) => void;

const item = (read: (text: string, refuse: Refuse) => string): z.ZodType<string> =>
  z
    .string()
    .trim()
    .min(1)
    .max(2048)
    .transform((text, context) => read(text, (message) => context.addIssue({ code: 'custom', message })));

/**
 * An engine's base URL as the WHATWG URL standard reads it, without a trailing slash. Credentials are
 * refused because the URL is a metric label and stands in logs; query and fragment because request
 * paths are appended.
 */
export const engineUrl = item((text, refuse) => {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || !/^https?:$/.test(url.protocol) || url.hostname === '') {
    refuse(
      `${show(text)} is not an http or https URL; give URLs such as http://engine-a:8000 or https://host/prefix`,
    );
    return '';
  }
  if (url.username !== '' || url.password !== '') {
    refuse(`${show(text)} holds a user name or password; engine URLs must not, set VLLM_API_KEY instead`);
  } else if (text.includes('?')) {
    refuse(`${show(text)} holds a query; give a base URL without "?"`);
  } else if (text.includes('#')) {
    refuse(`${show(text)} holds a fragment; give a base URL without "#"`);
  }
  return url.href.replace(/\/+$/, '');
});

export const modelName = z.string().trim().max(512).regex(PRINTABLE);

/** One address or a CIDR block. */
export const ipRange = item((text, refuse) => {
  const [address = '', bits, ...rest] = text.split('/');
  const version = isIP(address);
  const bitsRight =
    bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 6 ? 128 : 32));
  if (version === 0 || !bitsRight || rest.length > 0) {
    refuse(`${show(text)} is not an address; give IP addresses or blocks such as 10.0.0.0/8 or fd00::/8`);
  }
  return text;
});

/** `*` or a serialised origin (RFC 6454 section 6.2). */
export const webOrigin = item((text, refuse) => {
  if (text === '*') return text;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || url.origin === 'null' || `${url.origin}/` !== url.href) {
    refuse(`${show(text)} is not an origin; give origins such as https://app.example.com, or *`);
    return '';
  }
  return url.origin;
});

export const requestPath = item((text, refuse) => {
  if (!/^\/[^\s?#]*$/.test(text)) {
    refuse(
      `${show(text)} is not a path; give paths such as /metrics, beginning with "/" and without a query`,
    );
  }
  return text;
});

export const filePath = z.string().trim().max(4096).regex(PRINTABLE);

/** A key as it stands in a header: printable ASCII. Its value is never part of a problem. */
export const secretKey = z
  .string()
  .trim()
  .max(4096)
  .regex(/^[\x21-\x7e]+$/);
