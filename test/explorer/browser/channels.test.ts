import { contract } from '../contract.ts'
import { channels } from '../pages/channels.ts'

contract(channels)
