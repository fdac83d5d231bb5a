import { numberOrOff, seconds } from '../setting-kinds.js';

/** When an engine is sent nothing for a while. */
export const HEALTH_SETTINGS = {
  healthCheckInterval: seconds(
    {
      group: 'Engines',
      help: 'How often the /health of every engine is asked, so that one that is gone is found without a request, and found again; 0: never.',
    },
    { default: 5, min: 0 },
  ),
  maxEjectedShare: numberOrOff(
    {
      group: 'Engines',
      help:
        'The largest share of the engines of a model that may be out of rotation for failures which are no sure sign that ' +
        'nothing is served there; one engine of two or more always may, but with 0 none.',
    },
    { default: 0.5, min: 0.01, max: 1 },
  ),
  engineDrainTimeout: seconds(
    {
      group: 'Engines',
      help: 'How long requests may go on at an engine that discovery has ceased to name: a pod that ends, or one taken out by a reload.',
    },
    { default: 600, min: 0 },
  ),
};
