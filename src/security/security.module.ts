import { Global, Module } from '@nestjs/common';
import { AccessControl } from './access-control.js';
import { EngineAccess } from './engine-access.js';
import { FollowedFiles } from './followed-files.js';

/** Who may ask the router, and how it shows itself to engines. Needs `SettingsStore` and Nest's `ScheduleModule`. */
@Global()
@Module({
  providers: [FollowedFiles, AccessControl, EngineAccess],
  exports: [FollowedFiles, AccessControl, EngineAccess],
})
export class SecurityModule {}
